"""What the methods of every noun are made of."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from trackwire.client import Client
from trackwire.client.paging import smaller_page
from trackwire.errors import InvalidArgumentError, ResourceExhaustedError
from trackwire.mlflow_plugin.connections import client_of

PageT = TypeVar("PageT")


class Tag(Protocol):
    """A tag or a param, as each of mlflow's entities has them."""

    @property
    def key(self) -> str:
        """Its name."""

    @property
    def value(self) -> str:
        """What it says."""


class Asking:
    """The base of the nouns' mixins."""

    _uri: str

    @property
    def _client(self) -> Client:
        """The client of the server, in this process."""
        return client_of(self._uri)


def texts(tags: Iterable[Tag] | None) -> dict[str, str]:
    """Tags as a request carries them, each value as `str()` gives it."""
    return {tag.key: str(tag.value) for tag in tags or ()}


def page_size(max_results: int | None, default: int) -> int:
    """The size of a page. 0 would mean the server's own."""
    size = default if max_results is None else int(max_results)
    if size < 1:
        raise InvalidArgumentError(f"max_results: {size}: must be at least 1", metadata={"field": "max_results"})
    return size


def fitting(search: Callable[..., PageT], size: int) -> PageT:
    """A page of this size, or a smaller one where that is too large for a message: mlflow goes on by its token."""
    while True:
        try:
            return search(page_size=size)
        except ResourceExhaustedError as error:
            size = smaller_page(error, size)


def version_number(version: str | int) -> int:
    """The number of a model's version, which mlflow gives as text."""
    try:
        return int(version)
    except (TypeError, ValueError):
        raise InvalidArgumentError(
            f"version: {version!r}: must be a number, such as 1", metadata={"field": "version"}
        ) from None
