"""What a request made the first time, by its `request_id`: sent once more, it makes nothing new.

Two calls may make the same thing at once: once the first has committed, the second violates a constraint and begins
again. Then it finds what is there.
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.errors import Aborted, TrackwireError, shown
from trackwire_server.stores.sql.database import OnConflict
from trackwire_server.stores.sql.search import AnyRow

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
_TRIES = 4
_BEING_MADE = "BEING_MADE"


def being_made(kind: str, name: str) -> Aborted:
    """What a violated constraint means to a call that begins again: another one has made the same thing."""
    return Aborted(f"{kind} {shown(name)} is being made by another call: send this one again", reason=_BEING_MADE)


Method = Callable[Parameters, Coroutine[Any, Any, Result]]


def begun_again(method: Method[Parameters, Result]) -> Method[Parameters, Result]:
    """Of a method that is one transaction: has it tried again where another call made the same thing meanwhile."""

    @wraps(method)
    async def tried(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
        for _ in range(_TRIES - 1):
            try:
                return await method(*arguments, **named)
            except Aborted as error:
                if error.reason != _BEING_MADE:
                    raise
        return await method(*arguments, **named)

    return tried


async def made_before(connection: AsyncConnection, table: Table, request_id: str) -> AnyRow | None:
    """The row of a request; None if there is none, or the request has no id."""
    if not request_id:
        return None
    return (await connection.execute(select(table).where(table.c.request_id == request_id))).one_or_none()


def raced_request(kind: str, table: Table, request_id: str) -> OnConflict:
    """What becomes of the violation of a request's constraint, for `begun_again`."""
    return raced(f"the {kind} of request", request_id, f"uq_{table.name}_request_id")


def raced(kind: str, name: str, *constraints: str) -> OnConflict:
    """What becomes of the violation of constraints, for `begun_again`."""

    def on_conflict(constraint: str) -> TrackwireError | None:
        return being_made(kind, name) if constraint in constraints else None

    return on_conflict
