"""Requests and answers as their callers want them: as bytes, or as JSON by protobuf's own rules."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor

from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.limits import LIMITS
from trackwire_server.rpc.connect.calls import Call, refused

Serialize: TypeAlias = Callable[[Any], bytes]
# The event loop waits for no JSON that is longer.
_BYTES_WORTH_A_THREAD = 64 * 1024


def content_type_of(header: str) -> str:
    """Without its parameters."""
    return header.partition(";")[0].strip().lower()


class Messages:
    """Those of one method. What `one_at_a_time` is held for takes many times its size while it is read or written."""

    def __init__(self, method: MethodDescriptor, one_at_a_time: asyncio.Lock):
        self._request = message_factory.GetMessageClass(method.input_type)
        self._response = message_factory.GetMessageClass(method.output_type)
        self._one_at_a_time = one_at_a_time

    async def read(self, body: bytes, call: Call) -> bytes:
        """A request as bytes. Raises ConnectError if it is no such message as JSON."""
        if not _is_json(call):
            return body
        limit = LIMITS.json_message_bytes
        if len(body) > limit:
            expected = f"must have up to {limit:,} bytes as JSON: send it as bytes, or in parts"
            raise refused(
                InvalidArgument("request", f"{len(body)} bytes", expected, reason="MESSAGE_TOO_LARGE", limit=limit)
            )
        return await self._changed(self._from_json, body)

    async def written(self, answer: object, serialize: Serialize | None, call: Call) -> bytes:
        """An answer, which its handler may have made bytes already."""
        message = answer if isinstance(answer, bytes) or serialize is None else serialize(answer)
        assert isinstance(message, bytes)
        return await self._changed(self._to_json, message) if _is_json(call) else message

    async def _changed(self, change: Callable[[bytes], bytes], data: bytes) -> bytes:
        if len(data) < _BYTES_WORTH_A_THREAD:
            return change(data)
        async with self._one_at_a_time:
            return await asyncio.to_thread(change, data)

    def _from_json(self, body: bytes) -> bytes:
        try:
            # Nothing at all is an empty message, as curl sends it without data.
            message = json_format.Parse(body or b"{}", self._request())
        except (json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
            expected = f"is not this message as JSON: {error}"
            raise refused(
                InvalidArgument("request", f"{len(body)} bytes", expected, reason="MALFORMED_MESSAGE")
            ) from error
        return message.SerializeToString()

    def _to_json(self, message: bytes) -> bytes:
        return json_format.MessageToJson(self._response.FromString(message), indent=None).encode()


def _is_json(call: Call) -> bool:
    return content_type_of(call.request_headers.get("content-type", "")).endswith("json")
