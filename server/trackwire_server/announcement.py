"""What a server says on stdout once it is ready."""

import os
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from trackwire_server import logs
from trackwire_server.config import Config


@cache
def installed_version() -> str:
    """The version of the distribution; a tree that is not installed has none."""
    try:
        return version("trackwire")
    except PackageNotFoundError:
        return "0+uninstalled"


def announce_ready(config: Config, *, address: str, url: str, store: str, is_new: bool) -> None:
    """Tells where it serves and where it keeps what it is given; `url` is "" where HTTP is off."""
    # Whoever started it in the wrong folder sees here why nothing is found.
    note = {"note": f"new data directory: {config.data_dir} did not exist"} if is_new else {}
    logs.announce(
        "trackwire server ready",
        log_format=config.log_format,
        address=address,
        **({"http": url} if url else {}),
        store=store,
        artifacts=config.artifacts_uri_shown,
        data_dir=config.data_dir,
        version=installed_version(),
        pid=os.getpid(),
        **({"workers": config.workers} if config.workers > 1 else {}),
        **note,
    )
