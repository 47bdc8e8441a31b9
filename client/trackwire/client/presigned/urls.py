"""Presigned URLs are credentials: what may be shown of them, and what is said of one that did not work."""

from urllib.parse import SplitResult, urlsplit

PORTS = {"http": 80, "https": 443}
# What a client hears that has no way to a store, or that the store lets not in; all else passes, or is about one file.
_NO_WAY = (0, 301, 302, 307, 308, 401, 403, 404, 405)
_NO_FILE = ("NoSuchKey", "NoSuchUpload")


class StoreFailure(Exception):
    """The store could not be reached, broke off, or refused; `status` is 0 where it did not answer."""

    def __init__(self, url: str, why: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(f"{shown(url)}: {why}")
        self.status = status
        self.code = code

    @property
    def is_lasting(self) -> bool:
        """Whether every other call would fail like this one."""
        return self.status in _NO_WAY and self.code not in _NO_FILE


def shown(url: str) -> str:
    """A URL without what makes it a credential."""
    return f"{origin_of(url)}{urlsplit(url).path}"


def origin_of(url: str) -> str:
    """The scheme, host and port of a URL."""
    parts = urlsplit(url)
    host, port = host_and_port(parts)
    return f"{parts.scheme}://{host}:{port}"


def host_and_port(parts: SplitResult) -> tuple[str, int]:
    """Where a URL leads to."""
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
