"""A client of the Connect protocol in a few lines: what crosses the wire, and nothing else."""

import base64
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import requests
from google.rpc.error_details_pb2 import ErrorInfo, RequestInfo

LAST = 0b10
_PREFIX = struct.Struct(">BI")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as Connect tells it: its code, its words, our reason, and the id of the request."""

    code: str
    message: str
    reason: str
    metadata: Mapping[str, str]
    request_id: str

    @classmethod
    def read(cls, error: Mapping[str, Any]) -> "Refusal":
        """From JSON: a body, or the last message of a stream."""
        info, request = ErrorInfo(), RequestInfo()
        for detail in error.get("details", []):
            data = base64.b64decode(detail["value"] + "===")
            for known in (info, request):
                if detail["type"] == known.DESCRIPTOR.full_name:
                    known.ParseFromString(data)
        assert info.domain in ("trackwire", "")
        return cls(error["code"], error["message"], info.reason, dict(info.metadata), request.request_id)


@dataclass(frozen=True, slots=True)
class Connected:
    """A server's HTTP port, by its URL."""

    url: str
    headers: Mapping[str, str]
    trusts: str | bool = True

    def post(self, rpc: str, body: bytes, content_type: str, **headers: str) -> requests.Response:
        """An answer as it comes; a stream's is not read yet."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {**self.headers, "content-type": content_type, **named}
        place = f"{self.url}/trackwire.v1.{rpc}"
        return requests.post(
            place, data=body, headers=sent, timeout=60, verify=self.trusts, stream="connect" in content_type
        )

    def ask(self, rpc: str, message: bytes = b"", **headers: str) -> "bytes | Refusal":
        """A call with one answer, in bytes."""
        return answer_of(self.post(rpc, message, "application/proto", **headers))

    def ask_json(self, rpc: str, fields: object, **headers: str) -> Any:
        """The same in JSON; a Refusal if it is refused."""
        body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        answer = answer_of(self.post(rpc, body, "application/json", **headers))
        return answer if isinstance(answer, Refusal) else json.loads(answer)

    def stream(self, rpc: str, message: bytes = b"", codec: str = "proto", **headers: str) -> "Stream":
        """A call with many answers: read them all, or close it."""
        return Stream(self.post(rpc, enveloped(message), f"application/connect+{codec}", **headers))


class Stream:
    """The answers of a call; `refusal` is there once they have ended with one."""

    def __init__(self, response: requests.Response):
        assert response.status_code == 200, response.text
        self.response = response
        self.refusal: Refusal | None = None

    def __iter__(self) -> Iterator[bytes]:
        while True:
            flags, length = _PREFIX.unpack(self._read(_PREFIX.size))
            data = self._read(length)
            if flags & LAST:
                error = json.loads(data).get("error")
                self.refusal = None if error is None else Refusal.read(error)
                self.close()
                return
            yield data

    def end(self) -> Refusal | None:
        """Reads what is left; what it ended with."""
        for _ in self:
            pass
        return self.refusal

    def close(self) -> None:
        """Hangs up."""
        self.response.close()

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = cast("BinaryIO", self.response.raw).read(size - len(data))
            assert part, f"the stream broke off: {size} bytes were to come, and {len(data)} did"
            data += part
        return data


def enveloped(message: bytes) -> bytes:
    """As the only message of a stream."""
    return _PREFIX.pack(0, len(message)) + message


def answer_of(response: requests.Response) -> "bytes | Refusal":
    """The message in an answer, or why there is none."""
    if response.status_code == 200:
        return response.content
    refusal = Refusal.read(response.json())
    assert refusal.request_id in (response.headers["x-request-id"], "")
    return refusal


def connected(url: str, token: str = "", *, trusts: str | bool = True) -> Connected:
    """A client of a server, with or without a token."""
    return Connected(url, {"authorization": f"Bearer {token}"} if token else {}, trusts)
