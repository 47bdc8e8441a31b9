"""A TCP proxy that cuts connections in the middle of what they carry."""

import contextlib
import socket
import threading
from collections.abc import Sequence


class CuttingProxy:
    """Listens before a server. Of the connections made, the first are cut once they have carried so many bytes."""

    def __init__(self, server_address: str, cut_after_bytes: Sequence[int]):
        host, _, port = server_address.rpartition(":")
        self._server = (host, int(port))
        self._cuts = list(cut_after_bytes)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut_connections = 0

    def start(self) -> None:
        """Begins to accept."""
        self._threads[0].start()

    def stop(self) -> None:
        """Closes all and waits for the threads."""
        self._close(self._listener)
        for opened in self._sockets:
            self._close(opened)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            try:
                server = socket.create_connection(self._server)
            except OSError:
                self._close(client)
                continue
            self._sockets.append(server)
            left = [self._cuts.pop(0)] if self._cuts else None
            for source, target in ((client, server), (server, client)):
                thread = threading.Thread(target=self._carry, args=(source, target, left))
                self._threads.append(thread)
                thread.start()

    def _carry(self, source: socket.socket, target: socket.socket, left: list[int] | None) -> None:
        try:
            while data := source.recv(64 * 1024):
                if left is not None:
                    left[0] -= len(data)
                    if left[0] < 0:
                        self.cut_connections += 1
                        break
                target.sendall(data)
        except OSError:
            pass
        self._close(source)
        self._close(target)

    def _close(self, opened: socket.socket) -> None:
        with contextlib.suppress(OSError):
            opened.shutdown(socket.SHUT_RDWR)
        opened.close()
