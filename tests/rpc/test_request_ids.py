"""Each call has an id: its caller's or the server's own, in its trailers and its error."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2
from tests.conftest import Serve
from tests.rpc.test_status import KINDS, failure, raising_door

from trackwire_server.core.errors import NotFound
from trackwire_server.core.request_ids import current_request_id
from trackwire_server.rpc.server import Door

MALFORMED = ["", "a b", 'a"b', "x" * 129]


def answering_door() -> Door:
    """A service that answers with the id under which it was called, once all calls under way have come to it."""

    async def tell(_request: bytes, _context: object) -> bytes:
        await asyncio.sleep(0)
        return current_request_id.get().encode()

    handlers = {"Tell": grpc.unary_unary_rpc_method_handler(tell)}
    generic = grpc.method_handlers_generic_handler("tests.Ids", handlers)
    return Door("tests.Ids", lambda server: server.add_generic_rpc_handlers((generic,)))


async def told(channel: grpc.aio.Channel, *metadata: tuple[str, str]) -> tuple[str, str]:
    """The id under which a call ran, and that in its trailers."""
    started = channel.unary_unary("/tests.Ids/Tell")(b"", metadata=metadata)
    inside = (await started).decode()
    return inside, str(dict(await started.trailing_metadata() or ())["x-request-id"])


async def test_callers_own_id_is_taken(serve: Serve) -> None:
    channel = await serve(answering_door())
    longest = "aZ09._:/+=@-".ljust(128, "x")
    assert await told(channel, ("x-request-id", longest)) == (longest, longest)
    assert await told(channel, ("x-request-id", "first"), ("x-request-id", "second")) == ("first", "first")


@pytest.mark.parametrize("said", MALFORMED)
async def test_in_place_of_an_id_that_is_none_the_server_makes_one(serve: Serve, said: str) -> None:
    channel = await serve(answering_door())
    inside, outside = await told(channel, ("x-request-id", said))
    assert inside == outside
    assert inside not in ("", said)


async def test_calls_at_the_same_time_have_ids_of_their_own(serve: Serve) -> None:
    channel = await serve(answering_door())
    ids = await asyncio.gather(*(told(channel, ("x-request-id", f"own-{number}")) for number in range(20)))
    made = await asyncio.gather(*(told(channel) for _ in range(20)))
    assert ids == [(f"own-{number}", f"own-{number}") for number in range(20)]
    assert len({inside for inside, outside in made if inside == outside}) == 20


@pytest.mark.parametrize("kind", KINDS)
async def test_error_names_the_request_in_its_details_and_its_trailers(serve: Serve, kind: str) -> None:
    channel = await serve(raising_door(lambda: NotFound("run", "r1")))
    caught, status = await failure(channel, kind)
    info = error_details_pb2.RequestInfo()
    assert status.details[-1].Unpack(info)
    assert info.request_id == dict(caught.trailing_metadata() or ())["x-request-id"] != ""
