"""Transactions that the database took back, as each of two waited for the other: they are tried again."""

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from trackwire_server.core.errors import StoreUnavailable

Store = TypeVar("Store")
_TRIES = 8


class MetDeadlock(StoreUnavailable):
    """Nothing of the transaction was stored."""


def tried_again(store: type[Store]) -> type[Store]:
    """Of a class whose public methods are one transaction each: has them run again where they met a deadlock."""
    for name, method in list(vars(store).items()):
        if iscoroutinefunction(method) and not name.startswith("_"):
            setattr(store, name, _tried_again(method))
    return store


def _tried_again(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(method)
    async def tried(*arguments: Any, **named: Any) -> Any:
        for _ in range(_TRIES - 1):
            try:
                return await method(*arguments, **named)
            except MetDeadlock:
                pass
        return await method(*arguments, **named)

    return tried
