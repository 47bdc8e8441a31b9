"""`python -m trackwire_server db backup` and `db check`: a store copied beside its server, and whether all is there."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.engine import URL

from trackwire_server.core.errors import FailedPrecondition, StoreCorrupt
from trackwire_server.stores.sql.check import Findings, check_database
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.sqlite_copy import copied

# The first version of the schema whose tables have all that is read here: who upgrades makes a copy before.
CHECKED_FROM = 1
_DAMAGES_SHOWN = 10


async def back_up(source: Path, target: Path) -> str:
    """Copies a SQLite database into a file that is not there yet, and checks it before it gets that name."""
    with copied(source, target) as copy:
        counts = (await _checked(URL.create("sqlite", database=str(copy)))).counts
    return f"{target}: {counts['runs']:,} runs, {counts['points']:,} points, all of which can be read"


async def check(store_uri: str) -> str:
    """How much there is of what, a line each. Raises StoreCorrupt if not all of it can be read, or something lacks."""
    return _lines((await _checked(store_uri)).counts)


async def _checked(store_uri: str | URL) -> Findings:
    database = await Database.open(store_uri, upgrade=False)
    try:
        schema = await database.schema()
        schema.check()
        if schema.version < CHECKED_FROM:
            raise FailedPrecondition(
                f"store_uri: its schema has version {schema.version}, {CHECKED_FROM} is the first that can be checked",
                reason="SCHEMA_TOO_OLD",
                metadata={"field": "store_uri", "value": schema.version, "limit": CHECKED_FROM},
            )
        findings = await check_database(database)
    finally:
        await database.close()
    if damages := findings.damages:
        shown = [*damages[:_DAMAGES_SHOWN], *(["…"] if len(damages) > _DAMAGES_SHOWN else [])]
        raise StoreCorrupt("\n  ".join([f"damages that were found: {len(damages):,}", *shown]))
    return findings


def _lines(counts: Mapping[str, int]) -> str:
    return "\n".join(f"{name} {count}" for name, count in counts.items())
