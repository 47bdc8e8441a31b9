"""One channel and the rpcs on it, found by their request messages; failures become exceptions."""

import functools
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from trackwire.address import is_several
from trackwire.client.channel import KEPT_TOGETHER, open_channel
from trackwire.client.credentials import call_metadata, channel_credentials
from trackwire.client.presigned.places import Places
from trackwire.client.status import error_from_rpc
from trackwire.errors import FailedPreconditionError
from trackwire.v1 import (
    admin_pb2,
    artifacts_pb2,
    evaluation_datasets_pb2,
    experiments_pb2,
    imports_pb2,
    issues_pb2,
    logged_models_pb2,
    metrics_pb2,
    model_registry_pb2,
    runs_pb2,
)

ResponseT = TypeVar("ResponseT", bound=Message)
DecodedT = TypeVar("DecodedT")

# Those that answer once and work through all that a server has, or through all of a file.
_LONG_CALLS = (
    "/trackwire.v1.AdminService/CollectGarbage",
    "/trackwire.v1.ArtifactService/CompleteArtifactUpload",
)
_MODULES = (
    experiments_pb2,
    runs_pb2,
    metrics_pb2,
    artifacts_pb2,
    model_registry_pb2,
    logged_models_pb2,
    issues_pb2,
    evaluation_datasets_pb2,
    imports_pb2,
    admin_pb2,
)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a call may take: one that answers once, and one that streams, or answers once for all of a file."""

    call_seconds: float = 30.0
    stream_seconds: float | None = 3_600.0

    def of(self, path: str) -> float | None:
        """That of an rpc that answers once."""
        return self.stream_seconds if path in _LONG_CALLS else self.call_seconds


@functools.cache
def rpc_paths() -> Mapping[str, str]:
    """Every rpc's path by its request's full name: request messages are unique in the package."""
    return {
        method.input_type.full_name: f"/{service.full_name}/{method.name}"
        for module in _MODULES
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }


def rpc_path(request_type: type[Message]) -> str:
    """The path of the rpc that takes this request."""
    return rpc_paths()[request_type.DESCRIPTOR.full_name]


def closed_error(address: str) -> FailedPreconditionError:
    """What a call says whose client is closed."""
    return FailedPreconditionError(f"the client of {address} is closed", reason="CLIENT_CLOSED")


def _as_is(data: bytes) -> bytes:
    return data


class Connection:
    """The calls of one client. Safe to use from many threads; not across a fork.

    Without credentials and token those of the environment; raises TrackwireError where it names what is no use.
    """

    def __init__(
        self,
        address: str,
        deadlines: Deadlines,
        credentials: grpc.ChannelCredentials | None = None,
        *,
        token: str | None = None,
    ) -> None:
        self.address = address
        self.deadlines = deadlines
        self.places = Places.of_environment()
        credentials = channel_credentials(address, credentials)
        self._metadata = call_metadata(address, token, is_encrypted=credentials is not None)
        self._channel = open_channel(address, credentials)
        # What is numbered arrives in order at one server; at several most of it would have to be sent again.
        self._ordered = open_channel(address, credentials, KEPT_TOGETHER) if is_several(address) else None
        self._closed = False
        # Made once: a method of a channel costs about as much to make as to call.
        self._unaries: dict[tuple[str, bool], grpc.UnaryUnaryMultiCallable[bytes, bytes]] = {}

    def close(self) -> None:
        """Closes the channel; calls under way are cancelled."""
        self._closed = True
        self._channel.close()
        if self._ordered is not None:
            self._ordered.close()

    def call(self, request: Message, response_type: type[ResponseT]) -> ResponseT:
        """One request, one answer."""
        answer = self.call_bytes(rpc_path(type(request)), request.SerializeToString())
        return response_type.FromString(answer)

    def call_bytes(self, path: str, data: bytes) -> bytes:
        """One request that is serialized already, one answer that is not parsed yet."""
        try:
            return self._unary(path)(data, timeout=self.deadlines.of(path), metadata=self._metadata)
        except grpc.RpcError as error:
            raise error_from_rpc(error, self.address) from None

    def start_bytes(self, path: str, data: bytes) -> "grpc.Future[bytes]":
        """Sends and does not wait: for callers that keep several requests under way. Failures stay gRPC's own."""
        try:
            call = self._unary(path, ordered=True)
            return call.future(data, timeout=self.deadlines.call_seconds, metadata=self._metadata)
        except ValueError:
            # gRPC's word for a channel that was closed by another thread just now.
            raise closed_error(self.address) from None

    def stream(
        self, request: Message, decode: Callable[[bytes], DecodedT], *, timeout_seconds: float | None = None
    ) -> Generator[DecodedT, None, None]:
        """One request, many answers, each decoded as it comes; closing the iterator cancels the call."""
        open_stream = self._open().unary_stream(
            rpc_path(type(request)), request_serializer=_as_is, response_deserializer=_as_is
        )
        answers = open_stream(request.SerializeToString(), timeout=timeout_seconds, metadata=self._metadata)
        try:
            for answer in answers:
                yield decode(answer)
        except grpc.RpcError as error:
            raise error_from_rpc(error, self.address) from None
        finally:
            answers.cancel()

    def send_stream(
        self, request_type: type[Message], requests: Iterable[Message], response_type: type[ResponseT]
    ) -> ResponseT:
        """Many requests, one answer."""
        send = self._open().stream_unary(
            rpc_path(request_type), request_serializer=_serialized, response_deserializer=response_type.FromString
        )
        try:
            return send(iter(requests), timeout=self.deadlines.stream_seconds, metadata=self._metadata)
        except grpc.RpcError as error:
            raise error_from_rpc(error, self.address) from None

    def _unary(self, path: str, *, ordered: bool = False) -> "grpc.UnaryUnaryMultiCallable[bytes, bytes]":
        channel = self._open()
        found = self._unaries.get((path, ordered))
        if found is None:
            if ordered and self._ordered is not None:
                channel = self._ordered
            found = channel.unary_unary(path, request_serializer=_as_is, response_deserializer=_as_is)
            self._unaries[path, ordered] = found
        return found

    def _open(self) -> grpc.Channel:
        if self._closed:
            raise closed_error(self.address)
        return self._channel


def _serialized(request: Message) -> bytes:
    return request.SerializeToString()
