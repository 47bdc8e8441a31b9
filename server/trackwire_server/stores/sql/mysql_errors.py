"""What MariaDB and MySQL say goes wrong, by the numbers of their errors, as the domain's errors."""

import re

import asyncmy
from asyncmy.constants import ER
from sqlalchemy.exc import DBAPIError, IntegrityError

from trackwire_server.core.errors import InvalidArgument, StorageFull, StoreCorrupt, StoreUnavailable, TrackwireError
from trackwire_server.stores.sql.deadlocks import MetDeadlock

# Source: mariadb.com/kb/en/mariadb-error-code-reference, dev.mysql.com/doc/mysql-errors; from 2000 on they are the
# client's own, of connections that failed.
_CLIENTS_OWN = range(2_000, 3_000)
_FULL = frozenset((1021, 1114))
_CORRUPT = frozenset((1033, 1034, 1194, 1195, 1712, 1877))
_DATA = frozenset((1264, 1366, 1367, 1406, 1690, 3140, 3141))
_DEADLOCK = 1213
_TOO_LONG = frozenset((1969, 3024))
_GONE = frozenset((1927, 2006, 2013, 4031))
_UNAVAILABLE = frozenset(
    (
        # The server is starting, stopping, read-only or out of connections, memory or files.
        *(1030, 1037, 1038, 1040, 1041, 1053, 1077, 1079, 1129, 1180, 1203, 1226, 1290, 1792, 1836),
        # Whoever connects may not, or not yet.
        *(1044, 1045, 1049, 1130, 1142, 1143, 1227, 1698),
        # The connection failed or was ended.
        *(1152, 1158, 1159, 1160, 1161, 1184, 1927, 4031),
        # Another transaction, or a limit of time, was in the way.
        *(1020, 1205, 1317, 1412, 3100, 3101),
    )
)


def code_of(error: BaseException | None) -> int:
    """The number of an error; 0 if it has none."""
    code = error.args[0] if error is not None and error.args else 0
    return code if isinstance(code, int) else 0


def met_a_deadlock(error: DBAPIError) -> bool:
    """Whether another transaction was in the way, and this one was taken back for it."""
    return code_of(error.orig) == _DEADLOCK


def took_too_long(error: DBAPIError) -> bool:
    """Whether a statement was ended for its time."""
    return code_of(error.orig) in _TOO_LONG


def is_gone(error: DBAPIError) -> bool:
    """Whether a connection was closed before."""
    return isinstance(error.orig, asyncmy.errors.InterfaceError) or code_of(error.orig) in _GONE


def violated_constraint(error: IntegrityError) -> str:
    """By the name at the end of "Duplicate entry … for key …"; a primary key's is made of the table's."""
    found = re.search(r"for key '(?:[^'.]+\.)?([^']+)'$", str(error.orig.args[-1] if error.orig else ""))
    if found is None:
        return ""
    table = re.match(r"INSERT INTO `?(\w+)", error.statement or "")
    return f"pk_{table[1]}" if found[1] == "PRIMARY" and table else found[1]


def translated(error: DBAPIError, *, kind: str, shown: str) -> TrackwireError | None:
    """The error of a database of a kind, under the address that may be shown; None if it is a fault of ours."""
    cause = error.orig
    code = code_of(cause)
    if code == ER.NET_PACKET_TOO_LARGE:
        return InvalidArgument("value", "", "must fit the database server's max_allowed_packet")
    if code in _DATA or isinstance(cause, asyncmy.errors.DataError):
        return InvalidArgument("value", str(cause), f"must be one that {kind} can keep")
    if code in _FULL:
        return StorageFull("database")
    if code in _CORRUPT:
        return StoreCorrupt(f"database {shown}: {cause}")
    if code == _DEADLOCK:
        return MetDeadlock(f"database {shown}: {cause}")
    if code in _UNAVAILABLE or code in _CLIENTS_OWN or isinstance(cause, asyncmy.errors.InterfaceError):
        return StoreUnavailable(f"database {shown}: {cause}")
    return None
