"""`trackwire.AsyncClient`: every rpc of the server as a coroutine or an async iterator, over one channel.

Type checkers read `aio.pyi`, which scripts/generate_async_client derives from the mixins' sources.
"""

from types import TracebackType
from typing import Self

from grpc import ChannelCredentials

from trackwire.address import server_address
from trackwire.client.admin import AdminMethods
from trackwire.client.artifacts import ArtifactMethods
from trackwire.client.async_calls import AsyncCalls
from trackwire.client.async_connection import AsyncConnection
from trackwire.client.connection import Deadlines
from trackwire.client.evaluation_datasets import EvaluationDatasetMethods
from trackwire.client.experiments import ExperimentMethods
from trackwire.client.imports import ImportMethods
from trackwire.client.issues import IssueMethods
from trackwire.client.logged_models import LoggedModelMethods
from trackwire.client.metrics import MetricMethods
from trackwire.client.model_registry import ModelRegistryMethods
from trackwire.client.run_inputs import RunInputMethods
from trackwire.client.runs import RunMethods


class AsyncClient(
    AsyncCalls,
    ExperimentMethods,
    RunMethods,
    RunInputMethods,
    MetricMethods,
    ArtifactMethods,
    ModelRegistryMethods,
    LoggedModelMethods,
    IssueMethods,
    EvaluationDatasetMethods,
    ImportMethods,
    AdminMethods,
):
    """A client of one server for asyncio: the methods of `trackwire.Client`, with the same arguments and errors.

    Those that answer once are coroutines; searches, lists and streams are async iterators, which `contextlib.aclosing`
    closes where they are left early. A task that is cancelled cancels its call. Files are read and written in threads.

    All calls belong to the event loop of the first one, and to its process. There is no `metric_writer`:
    `trackwire.log_metrics` and the rest wait for nothing, in a coroutine too; or give `ingest_metrics` a `writer`
    stamp, so that what is sent again, by whoever, is stored once.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        timeout_seconds: float = 30.0,
        stream_timeout_seconds: float | None = 3_600.0,
        credentials: ChannelCredentials | None = None,
        token: str | None = None,
    ) -> None:
        """`address` is `host:port`, or `grpcs://host:port` for TLS, or several (see trackwire.address); by default
        TRACKWIRE_TRACKING_URI, else 127.0.0.1:5051.

        `timeout_seconds` is the deadline of a call that answers once, `stream_timeout_seconds` that of a read, an
        upload, a download or a collection of garbage as a whole (None: none). `credentials`, such as
        `grpc.ssl_channel_credentials()`, mean TLS too, and go before TRACKWIRE_CA_CERT, TRACKWIRE_CLIENT_CERT and
        TRACKWIRE_CLIENT_KEY; `token` goes before TRACKWIRE_TOKEN.
        """
        deadlines = Deadlines(timeout_seconds, stream_timeout_seconds)
        self._connection = AsyncConnection(server_address(address), deadlines, credentials, token=token)

    @property
    def address(self) -> str:
        """Where the server is: `host:port`, or `grpcs://host:port`."""
        return self._connection.address

    async def close(self) -> None:
        """Closes the channel; calls under way are cancelled. May be called again."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"trackwire.AsyncClient({self.address!r})"
