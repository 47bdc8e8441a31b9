"""What a request made the first time, by its `request_id`: sent once more, it makes nothing new."""

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.errors import Aborted, TrackwireError
from trackwire_server.stores.sql.database import OnConflict
from trackwire_server.stores.sql.search import AnyRow


async def made_before(connection: AsyncConnection, table: Table, request_id: str) -> AnyRow | None:
    """The row of a request; None if there is none, or the request has no id."""
    if not request_id:
        return None
    return (await connection.execute(select(table).where(table.c.request_id == request_id))).one_or_none()


def raced_request(kind: str, table: Table, request_id: str) -> OnConflict:
    """Has a retry sent once more where another replica has made its row a moment ago: the next attempt finds it."""

    def on_conflict(constraint: str) -> TrackwireError | None:
        if constraint != f"uq_{table.name}_request_id":
            return None
        return Aborted(f"request_id: {request_id!r}: its {kind} is being made by another call: send this one again")

    return on_conflict
