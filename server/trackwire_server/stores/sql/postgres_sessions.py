"""Sessions with PostgreSQL: what is set in them, and the one kind of pooler that would mix them up."""

from collections.abc import Mapping

import asyncpg  # type: ignore[import-untyped]

from trackwire_server.core.errors import FailedPrecondition

CONNECT_TIMEOUT_SECONDS = 30
# Statements that a connection keeps prepared.
_PREPARED_MAX = 1_000

_SETTINGS = {
    "synchronous_commit": "on",
    # Statements are short, and compiling them is not.
    "jit": "off",
    # A server that vanished in the middle of a transaction holds its locks no longer than this.
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60s",
}
_PROCESS = "SELECT pg_backend_pid()"
# Of a prepared statement that another session has, and of one that is there already.
_MIXED_UP = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)


class PostgresSessions:
    """Connects. Before the first connection is given out, it looks whether a session stays with its connection."""

    def __init__(self, uri: str, *, statement_timeout_ms: int):
        self._uri = uri
        self._settings = {**_SETTINGS, "statement_timeout": f"{statement_timeout_ms}ms"}
        self._is_looked_at = False

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A session with its settings. Raises asyncpg's errors, and FailedPrecondition for a pooler that mixes up."""
        connection = await self._connected()
        try:
            if not self._is_looked_at:
                await self._require_own_session(connection)
                self._is_looked_at = True
            await connection.execute(_set_all(self._settings), timeout=CONNECT_TIMEOUT_SECONDS)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            self._uri,
            timeout=CONNECT_TIMEOUT_SECONDS,
            statement_cache_size=_PREPARED_MAX,
            # The only one that every pooler takes before the session is there.
            server_settings={"application_name": "trackwire"},
        )

    async def _require_own_session(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        try:
            is_own = await self._is_own(connection)
        except _MIXED_UP:
            is_own = False
        if not is_own:
            raise FailedPrecondition(
                "store_uri: the pooler before PostgreSQL hands its connections on after each transaction, but settings"
                " and prepared statements are kept in sessions: give this database pool_mode = session",
                reason="POOLED_BY_TRANSACTION",
                metadata={"field": "store_uri"},
            )

    async def _is_own(self, connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
        process = await connection.fetchval(_PROCESS)
        # A pooler can't tell beforehand which process it will be, and says any number.
        if process == connection.get_server_pid():
            return True
        other = await self._connected()
        try:
            # Whoever is in a transaction keeps its process, so that the first one would be given another.
            await other.execute("BEGIN")
            its_process = await other.fetchval(_PROCESS)
            return bool(process != its_process and process == await connection.fetchval(_PROCESS))
        finally:
            other.terminate()


def _set_all(settings: Mapping[str, str]) -> str:
    # Not among the parameters of the connection: of these a pooler takes few.
    return ";".join(f"SET {name} = '{value}'" for name, value in settings.items())
