"""asyncmy: how it connects, what becomes of real numbers, and its errors."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncmy
from asyncmy.constants import CLIENT, FIELD_TYPE
from asyncmy.converters import conversions
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.stores.sql.mysql_words import by_code_points

CONNECT_TIMEOUT_SECONDS = 30
_LOCK_TIMEOUT_SECONDS = 30
# A server that vanished in the middle of a transaction holds its locks no longer than this.
_IDLE_TIMEOUT_SECONDS = 60
# Texts are put in order by so many bytes: all of them, or pages would not be in the order in which they go on. The
# buffer, of which only what is used is taken, must have room for 15 rows of an order by as many texts as there may be.
_SORTED_BYTES = 4 * LIMITS.registry_tag_value_characters
_SORT_BUFFER_BYTES = 16 * (LIMITS.order_by_clauses + 1) * _SORTED_BYTES
_LARGEST = math.nextafter(math.inf, 0)
_BELOW_LARGEST = math.nextafter(_LARGEST, 0)
_TLS = {
    "ssl_ca": "ca",
    "ssl_capath": "capath",
    "ssl_cert": "cert",
    "ssl_key": "key",
    "ssl_cipher": "cipher",
    "ssl_check_hostname": "check_hostname",
}


def arguments_of(url: URL) -> dict[str, Any]:
    """What asyncmy connects by. Raises InvalidArgument for an option that is none."""
    if not url.database:
        raise InvalidArgument("store_uri", _shown(url), "must name a database: mysql://user@host/database")
    options = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    arguments: dict[str, Any] = {
        "host": url.host or "localhost",
        "port": url.port or 3306,
        "user": url.username or "",
        "password": url.password or "",
        "database": url.database,
    }
    if "unix_socket" in options:
        arguments["unix_socket"] = options.pop("unix_socket")
    tls: dict[str, object] = {_TLS[name]: options.pop(name) for name in list(options) if name in _TLS}
    if "check_hostname" in tls:
        tls["check_hostname"] = tls["check_hostname"] == "true"
    if options.pop("ssl", "false") == "true" or tls:
        arguments["ssl"] = tls or True
    if options:
        words = f"must have no option but unix_socket, ssl, {', '.join(_TLS)}"
        raise InvalidArgument("store_uri", next(iter(options)), words)
    return arguments


async def connect(arguments: dict[str, Any], isolation: str, statement_timeout_seconds: float) -> asyncmy.Connection:
    """A connection with our settings, whose transactions are isolated by a level."""
    driver = await asyncmy.connect(
        **arguments,
        autocommit=True,
        charset="utf8mb4",
        # An UPDATE counts the rows that it found, not those that it left otherwise than they were.
        client_flag=CLIENT.FOUND_ROWS,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        conv={**conversions, float: _as_literal, FIELD_TYPE.DOUBLE: _from_text},
        binary_prefix=True,
    )
    try:
        await _set_up(driver, isolation, statement_timeout_seconds)
    except BaseException:
        driver.close()
        raise
    return driver


async def _set_up(driver: asyncmy.Connection, isolation: str, statement_timeout_seconds: float) -> None:
    cursor = driver.cursor()
    collation = by_code_points(mariadb=is_mariadb(driver))
    modes = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,ERROR_FOR_DIVISION_BY_ZERO"
    settings = {
        "sql_mode": f"'{modes}'",
        "innodb_lock_wait_timeout": _LOCK_TIMEOUT_SECONDS,
        "wait_timeout": _IDLE_TIMEOUT_SECONDS,
        "max_sort_length": _SORTED_BYTES,
        "sort_buffer_size": _SORT_BUFFER_BYTES,
    }
    await cursor.execute(f"SET NAMES utf8mb4 COLLATE {collation}")
    await cursor.execute(f"SET SESSION {', '.join(f'{name} = {value}' for name, value in settings.items())}")
    await cursor.execute(statement_timeout(statement_timeout_seconds, mariadb=is_mariadb(driver)))
    await cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}")


def statement_timeout(seconds: float, *, mariadb: bool) -> str:
    """What has a session's statements ended that take longer, 0 for none; MySQL ends only those that read."""
    return (
        f"SET SESSION {f'max_statement_time = {seconds:f}' if mariadb else f'max_execution_time = {seconds * 1e3:.0f}'}"
    )


def is_mariadb(driver: asyncmy.Connection) -> bool:
    """Whether a connection is to MariaDB, and not to MySQL."""
    return "mariadb" in driver.get_server_info().lower()


async def driver_of(connection: AsyncConnection) -> asyncmy.Connection:
    """The driver's own connection."""
    raw = await connection.get_raw_connection()
    found = raw.driver_connection
    assert isinstance(found, asyncmy.Connection)
    return found


async def say(driver: asyncmy.Connection, statement: str) -> None:
    """Begins or ends a transaction. Where it isn't known whether that came to its end, the connection is closed."""
    with as_dbapi_error(statement):
        try:
            if statement == "COMMIT" and not driver.get_transaction_status():
                raise asyncmy.errors.InternalError(0, "the transaction has ended before it was committed")
            await driver.cursor().execute(statement)
        except BaseException:
            driver.close()
            raise


async def roll_back(driver: asyncmy.Connection) -> None:
    """Ends a transaction; the database does so by itself where the connection is gone."""
    if driver.connected:
        try:
            await say(driver, "ROLLBACK")
        except DBAPIError:
            driver.close()


@contextmanager
def as_dbapi_error(statement: str) -> Iterator[None]:
    """Errors of the bare driver look like those that SQLAlchemy raises, so that they are translated in one place."""
    try:
        yield
    except asyncmy.errors.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error
    except asyncmy.errors.Error as error:
        raise DBAPIError(statement, None, error) from error


def kept(value: float) -> float:
    """A number as a DOUBLE, which holds no infinity: the largest stands for it, and what is that one moves aside."""
    if abs(value) < _LARGEST:
        return value
    if math.isnan(value):
        raise asyncmy.errors.DataError(0, "NaN is no number")
    return math.copysign(_LARGEST if math.isinf(value) else _BELOW_LARGEST, value)


def _as_literal(value: float, _mapping: object = None) -> str:
    text = repr(kept(value))
    # Without an exponent it would be a DECIMAL.
    return text if "e" in text else f"{text}e0"


def _from_text(text: str) -> float:
    value = float(text)
    return value if abs(value) < _LARGEST else math.copysign(math.inf, value)


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)
