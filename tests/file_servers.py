"""Servers of files for the tests, in processes of their own: SFTP (asyncssh) and FTP (pyftpdlib); as a program, one.

Each serves a folder of this machine as its "/", to one user with a password.
"""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trackwire_server.core.remote_places import remote_place
from trackwire_server.stores.remote import RemoteSettings

USER = "tester"
PASSWORD = "test-secret"


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
def file_server(scheme: str, folder: Path, *, port: int = 0) -> Iterator[FileServer]:
    """A server of what lies in `folder`/files; its host key is kept beside."""
    (folder / "files").mkdir(exist_ok=True)
    command = [sys.executable, __file__, scheme, str(folder), str(port)]
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


def _serve_sftp(folder: Path, port: int) -> None:
    import asyncio

    import asyncssh

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
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder / "files").encode()),
        )
        chosen = listener.get_port()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{chosen} {key.export_public_key().decode()}")
        print(chosen, flush=True)
        await asyncio.to_thread(sys.stdin.read)

    asyncio.run(serve())


def _serve_ftp(folder: Path, port: int) -> None:
    import logging
    import threading

    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

    # Otherwise pyftpdlib makes a handler of its own.
    logging.basicConfig(level=logging.CRITICAL)
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder / "files"), perm="elradfmwMT")
    handler = type("Handler", (FTPHandler,), {"authorizer": authorizer, "auth_failed_timeout": 0})
    server = FTPServer(("127.0.0.1", port), handler)
    print(server.address[1], flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), server.close_all()), daemon=True).start()
    server.serve_forever(handle_exit=False)


if __name__ == "__main__":
    {"sftp": _serve_sftp, "ftp": _serve_ftp}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
