"""Transactions that the database took back, as each of two waited for the other: they are tried again."""

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError

from trackwire_server.core.errors import StoreUnavailable

Store = TypeVar("Store")
Result = TypeVar("Result")
_TRIES = 8


class MetDeadlock(StoreUnavailable):
    """Nothing of the transaction was stored."""


async def tried_until_free(
    attempt: Callable[[], Awaitable[Result]], is_in_the_way: Callable[[DBAPIError], bool]
) -> Result:
    """What an attempt returns; it is made again where another transaction was in its way."""
    for _ in range(_TRIES - 1):
        try:
            return await attempt()
        except DBAPIError as error:
            if not is_in_the_way(error):
                raise
    return await attempt()


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
