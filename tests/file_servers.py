"""Servers of files for the tests, in processes of their own: SFTP (asyncssh) and FTP (pyftpdlib); as a program, one.

Each serves a folder of this machine as its "/", to one user with a password.
"""

import json
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from trackwire_server.core.remote_places import remote_place
from trackwire_server.stores.remote import RemoteSettings

USER = "tester"
PASSWORD = "test-secret"
Result = TypeVar("Result")
MaybeAwaited: TypeAlias = Result | Awaitable[Result]


@dataclass(frozen=True, slots=True)
class FileServer:
    """A server that runs; `known_hosts` has the key of an SFTP server."""

    scheme: str
    port: int
    folder: Path
    known_hosts: Path | None
    process: subprocess.Popen[str]

    def fresh_folder(self) -> str:
        """The name of an empty folder there."""
        name = f"folder-{uuid.uuid4().hex}"
        (self.folder / name).mkdir()
        return name

    def settings(self, folder: str, spool: Path, *, timeout_seconds: float = 30) -> RemoteSettings:
        """How a store reaches a folder there."""
        place = remote_place(self.uri(folder))
        assert place is not None
        return RemoteSettings(place, spool, known_hosts=self.known_hosts, timeout_seconds=timeout_seconds)

    def uri(self, folder: str = "", *, password: str | None = PASSWORD) -> str:
        """Of a folder there."""
        secret = f":{password}" if password else ""
        return f"{self.scheme}://{USER}{secret}@127.0.0.1:{self.port}/{folder}"


@contextmanager
def file_server(scheme: str, folder: Path, *, port: int = 0, bytes_per_second: int = 0) -> Iterator[FileServer]:
    """A server of what lies in `folder`/files; its host key is kept beside. It may be slow.

    Nothing may be written below the folder `forbidden`.
    """
    (folder / "files/forbidden").mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, scheme, str(folder), str(port), str(bytes_per_second)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the server of {scheme} ended with {process.wait()}"
        known_hosts = folder / "known_hosts" if scheme == "sftp" else None
        try:
            yield FileServer(scheme, json.loads(line), folder / "files", known_hosts, process)
        finally:
            process.kill()
            process.wait(30)


def _serve_sftp(folder: Path, port: int, bytes_per_second: int) -> None:
    import asyncio
    import time

    import asyncssh

    class Files(asyncssh.SFTPServer):
        def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> MaybeAwaited[None]:
            if b"/forbidden/" in path:
                raise asyncssh.SFTPPermissionDenied("Permission denied")
            return super().mkdir(path, attrs)

        def posix_rename(self, oldpath: bytes, newpath: bytes) -> MaybeAwaited[None]:
            if b"/without-posix-rename" in newpath:
                raise asyncssh.SFTPOpUnsupported("Operation unsupported")
            return super().posix_rename(oldpath, newpath)

        def read(self, file_obj: object, offset: int, size: int) -> MaybeAwaited[bytes]:
            _wait(size)
            return super().read(file_obj, offset, size)

        def write(self, file_obj: object, offset: int, data: bytes) -> MaybeAwaited[int]:
            _wait(len(data))
            return super().write(file_obj, offset, data)

    def _wait(size: int) -> None:
        if bytes_per_second:
            time.sleep(size / bytes_per_second)

    class Passwords(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, PASSWORD)

    async def serve() -> None:
        key_file = folder / "host_key"
        if not key_file.exists():
            asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(key_file))
        key = asyncssh.read_private_key(str(key_file))
        keys = folder / "authorized_keys"
        listener = await asyncssh.listen(
            "127.0.0.1",
            port,
            server_factory=Passwords,
            server_host_keys=[key],
            authorized_client_keys=str(keys) if keys.exists() else None,
            sftp_factory=lambda channel: Files(channel, chroot=str(folder / "files").encode()),
        )
        chosen = listener.get_port()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{chosen} {key.export_public_key().decode()}")
        print(chosen, flush=True)
        await asyncio.to_thread(sys.stdin.read)

    asyncio.run(serve())


def _serve_ftp(folder: Path, port: int, bytes_per_second: int) -> None:
    import logging
    import threading

    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler, ThrottledDTPHandler
    from pyftpdlib.servers import FTPServer

    # Otherwise pyftpdlib makes a handler of its own.
    logging.basicConfig(level=logging.CRITICAL)
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder / "files"), perm="elradfmwMT")
    authorizer.override_perm(USER, str(folder / "files/forbidden"), "elr", recursive=True)
    limits = {"read_limit": bytes_per_second, "write_limit": bytes_per_second}
    transfers = type("Transfers", (ThrottledDTPHandler,), limits)
    said = {"authorizer": authorizer, "auth_failed_timeout": 0, "dtp_handler": transfers}
    handler = type("Handler", (FTPHandler,), said)
    server = FTPServer(("127.0.0.1", port), handler)
    print(server.address[1], flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), server.close_all()), daemon=True).start()
    server.serve_forever(handle_exit=False)


if __name__ == "__main__":
    {"sftp": _serve_sftp, "ftp": _serve_ftp}[sys.argv[1]](Path(sys.argv[2]), *map(int, sys.argv[3:]))
