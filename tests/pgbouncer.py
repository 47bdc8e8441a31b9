"""A real PgBouncer before the tests' PostgreSQL, where there is one to start: `apt-get install pgbouncer`."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url
from tests.client.shipper.shipping import until
from tests.ports import free_port
from tests.postgres import fresh_database, system_user

# Where Debian puts it, which is not on everybody's path.
PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="there is no pgbouncer: apt-get install pgbouncer")


@contextmanager
def pooled_database(pool_mode: str) -> Iterator[str]:
    """The URI of an empty database behind it; it has its own defaults, but for the mode and an open door."""
    with fresh_database() as uri, tempfile.TemporaryDirectory(prefix="trackwire-pgbouncer-") as folder:
        url, port, log = make_url(uri), free_port(), Path(folder) / "log"
        settings = Path(folder) / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n{url.database} = host={url.query['host']} user={url.username}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = {pool_mode}\ndefault_pool_size = 100\n"
        )
        Path(folder).chmod(0o755)
        # It takes on the user by itself: Popen would fork for that, and gRPC's threads in the child may crash it.
        user = system_user()
        command = [str(PROGRAM), *(["-u", user] if user else []), str(settings)]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            assert until(lambda: "process up" in log.read_text() or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            yield f"postgresql://{url.username}@127.0.0.1:{port}/{url.database}"
        finally:
            process.terminate()
            process.wait(30)
