"""Something that speaks HTTP where a store should be, and answers what a test wants, byte for byte."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Answer = Callable[[str], bytes]


@dataclass(slots=True)
class ScriptedStore:
    """Answers the head of each request with bytes, and closes; `heads` are those that came."""

    answer: Answer
    tls: ssl.SSLContext | None = None
    heads: list[str] = field(default_factory=list)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def serve(self) -> None:
        """Until the listener is closed."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                connection.settimeout(30)
                with self.tls.wrap_socket(connection, server_side=True) if self.tls else connection as opened:
                    self._answer_one(opened)

    def _answer_one(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65_536)
            if not received:
                return
            head += received
        self.heads.append(head.decode())
        connection.sendall(self.answer(head.decode()))


@contextlib.contextmanager
def scripted_store(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedStore]:
    """One that listens until the block ends."""
    store = ScriptedStore(answer, tls)
    serving = threading.Thread(target=store.serve)
    serving.start()
    try:
        yield store
    finally:
        # Closing alone would not wake who accepts.
        store.listener.shutdown(socket.SHUT_RDWR)
        store.listener.close()
        serving.join()


def ok(body: bytes, **headers: str) -> bytes:
    """An answer that is a whole object."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *lines, "", ""]).encode() + body


def refusal(status: int, code: str, **headers: str) -> bytes:
    """An answer that refuses, in S3's words."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>of a test</Message></Error>".encode()
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = [f"HTTP/1.1 {status} Refused", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode() + body
