"""What the methods of every noun are made of."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trackwire.errors import InvalidArgumentError
from trackwire.queries.server import client_for

if TYPE_CHECKING:
    from trackwire.client import Client


class Asking:
    """The base of the nouns' mixins."""

    _tracking_uri: str | None

    def _client(self, asked: str) -> "Client":
        """The client of the server; what this process's runs have logged is there first."""
        return client_for(f"MlflowClient.{asked}", self._tracking_uri)


def texts(tags: Mapping[str, object] | None) -> dict[str, str]:
    """Tags as a request carries them, each value as `str()` gives it."""
    return {key: str(value) for key, value in (tags or {}).items()}


def page_size(max_results: int) -> int:
    """The size of a page. 0 would mean the server's own."""
    if max_results < 1:
        raise InvalidArgumentError(f"max_results: {max_results}: must be at least 1", metadata={"field": "max_results"})
    return max_results
