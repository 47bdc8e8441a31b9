"""`trackwire.Client`: every rpc of the server as a typed method, over one channel."""

from types import TracebackType
from typing import Self

import grpc

from trackwire.address import server_address
from trackwire.client.admin import AdminMethods
from trackwire.client.artifacts import ArtifactMethods
from trackwire.client.connection import Connection, Deadlines
from trackwire.client.delivery import IN_FLIGHT
from trackwire.client.evaluation_datasets import EvaluationDatasetMethods
from trackwire.client.experiments import ExperimentMethods
from trackwire.client.imports import ImportMethods
from trackwire.client.issues import IssueMethods
from trackwire.client.logged_models import LoggedModelMethods
from trackwire.client.metrics import MetricMethods
from trackwire.client.model_registry import ModelRegistryMethods
from trackwire.client.run_inputs import RunInputMethods
from trackwire.client.runs import RunMethods
from trackwire.client.writer import PENDING_BYTES_MAX, MetricWriter


class Client(
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
    """A client of one server. Methods return the messages of `trackwire.v1` and raise `TrackwireError`s.

    Safe to use from many threads. The channel connects with the first call; it does not survive a fork: make the client
    after it.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        timeout_seconds: float = 30.0,
        stream_timeout_seconds: float | None = 3_600.0,
        credentials: grpc.ChannelCredentials | None = None,
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
        self._connection = Connection(server_address(address), deadlines, credentials, token=token)

    @property
    def address(self) -> str:
        """Where the server is: `host:port`, or `grpcs://host:port`."""
        return self._connection.address

    def metric_writer(
        self,
        run_id: str,
        *,
        rank: int | None = None,
        in_flight: int = IN_FLIGHT,
        pending_bytes_max: int = PENDING_BYTES_MAX,
    ) -> MetricWriter:
        """A stream of columns into one run, exactly once, with `in_flight` requests under way at a time."""
        return MetricWriter(
            self._connection, run_id, rank=rank, in_flight=in_flight, pending_bytes_max=pending_bytes_max
        )

    def close(self) -> None:
        """Closes the channel; calls under way are cancelled. May be called again."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"trackwire.Client({self.address!r})"
