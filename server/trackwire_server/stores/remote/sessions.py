"""Connections, each for one call or one open file at a time, in threads of their own: a slow one holds up no other."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from trackwire_server.core.errors import Overloaded, StoreUnavailable
from trackwire_server.stores.remote.connection import Connection
from trackwire_server.stores.remote.errors import is_answered

Result = TypeVar("Result")
# A download holds one as long as its client reads.
CONNECTIONS_MAX = 32
IDLE_MAX = 8
RETRY_AFTER_SECONDS = 1.0
# The driver's own timeout comes first: it can say what it waited for.
GRACE_SECONDS = 1.0


class Sessions:
    """Connections to one place. Those that nobody uses are kept for who comes next."""

    def __init__(
        self, connection: Callable[[], Connection], *, timeout_seconds: float, connections_max: int = CONNECTIONS_MAX
    ):
        self._connection = connection
        self._timeout_seconds = timeout_seconds
        self._connections_max = connections_max
        self._turns = asyncio.Semaphore(connections_max)
        self._threads = ThreadPoolExecutor(connections_max, thread_name_prefix="remote-artifacts")
        self._idle: list[Connection] = []
        self._taken: set[Connection] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Does some work on a connection. It goes on to its end, even if whoever awaits it is cancelled."""
        return await self.to_its_end(self._run(work))

    async def _run(self, work: Callable[[Connection], Result]) -> Result:
        session = await self._take()
        try:
            return await session.work(work)
        finally:
            session.release()

    async def take(self) -> "Session":
        """A session that is ready: of one whose caller was cancelled meanwhile nothing is left."""
        taking = asyncio.create_task(self._take())
        try:
            return await self._awaited(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(_release_taken)
            raise

    async def to_its_end(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Awaits something that is not to be cancelled, and that `close` waits for."""
        return await self._awaited(asyncio.create_task(coroutine))

    async def _awaited(self, task: "asyncio.Task[Result]") -> Result:
        self._watch(task)
        return await asyncio.shield(task)

    def _watch(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        # To ask for the failure is also to say that it is known: whoever awaited it may be gone.
        if not task.cancelled():
            task.exception()

    async def _take(self) -> "Session":
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Overloaded(
                f"all {self._connections_max} connections to the artifact store are in use",
                retry_after_seconds=RETRY_AFTER_SECONDS,
                metadata={"limit": self._connections_max},
            ) from error
        connection = self._idle.pop() if self._idle else self._connection()
        self._taken.add(connection)
        session = Session(self, connection)
        try:
            await session.work(Connection.make_ready)
        except BaseException:
            session.release(is_of_use=False)
            raise
        return session

    def start(self, function: Callable[[], Result]) -> "asyncio.Future[Result]":
        """Runs a function in a thread."""
        return asyncio.get_running_loop().run_in_executor(self._threads, function)

    def patience(self, connection: Connection) -> float:
        """For how many seconds more something may be awaited."""
        return self._timeout_seconds + GRACE_SECONDS + connection.last_progress - time.monotonic()

    def given_back(self, connection: Connection, *, is_of_use: bool) -> None:
        """A connection that nobody uses any more; of one that broke, the others are taken to have gone the same way."""
        self._turns.release()
        self._taken.discard(connection)
        if is_of_use and len(self._idle) < IDLE_MAX:
            self._idle.append(connection)
            return
        self.end(connection)
        if not is_of_use:
            gone, self._idle = self._idle, []
            for each in gone:
                self.end(each)

    def end(self, connection: Connection) -> None:
        """Begins to end a connection, which may take a moment."""
        self._watch(asyncio.create_task(asyncio.to_thread(connection.close)))

    async def close(self) -> None:
        """Ends all connections, and with them what is under way."""
        for connection in (*self._idle, *self._taken):
            self.end(connection)
        # Some drivers can't be ended: what they do then is no more than they might do to a server that is killed.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout_seconds):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        self._threads.shutdown(wait=False, cancel_futures=True)


class Session:
    """A connection in the hands of one caller, until it is released."""

    def __init__(self, sessions: Sessions, connection: Connection):
        self._sessions = sessions
        self._connection = connection
        self._is_of_use = True
        self._running: asyncio.Future[Any] | None = None

    @property
    def where(self) -> str:
        """What errors call the place."""
        return self._connection.where

    async def work(self, work: Callable[[Connection], Result]) -> Result:
        """Does some work, as long as something comes or goes now and then. Raises StoreUnavailable otherwise."""
        self._connection.went_on()
        running = self._sessions.start(lambda: work(self._connection))
        self._running = running
        while not running.done():
            left = self._sessions.patience(self._connection)
            if left <= 0:
                self._is_of_use = False
                self._sessions.end(self._connection)
                raise StoreUnavailable(f"{self._connection.where}: no answer came in time")
            await asyncio.wait([running], timeout=left)
        try:
            return running.result()
        except BaseException as error:
            self._is_of_use = self._is_of_use and is_answered(error)
            raise

    def release(self, *, is_of_use: bool = True) -> None:
        """Lets the next one have the connection, once no thread uses it."""
        if self._running is None or self._running.done():
            self._sessions.given_back(self._connection, is_of_use=is_of_use and self._is_of_use)
        else:
            self._running.add_done_callback(self._given_up)

    def _given_up(self, running: "asyncio.Future[Any]") -> None:
        # Nobody else asks what became of it.
        if not running.cancelled():
            running.exception()
        self._sessions.given_back(self._connection, is_of_use=False)


def _release_taken(taking: "asyncio.Task[Session]") -> None:
    if not taking.cancelled() and taking.exception() is None:
        taking.result().release()
