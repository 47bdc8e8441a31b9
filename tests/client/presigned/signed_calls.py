"""The calls of an S3 that go by presigned URLs, told apart from those of the server."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web
from tests.faults.s3_wire import Call, Fault


@dataclass(slots=True)
class SignedCalls:
    """Those that came; `fault` comes before each."""

    fault: Fault | None = None
    seen: list[Call] = field(default_factory=list)

    async def pass_by(self, call: Call) -> web.StreamResponse | None:
        """Lets the server's own pass."""
        if "X-Amz-Signature" not in call.request.query:
            return None
        self.seen.append(call)
        return None if self.fault is None else await self.fault(call)

    @property
    def ranges(self) -> Sequence[str]:
        """What was asked for; "" for all."""
        return [call.request.headers.get("Range", "") for call in self.seen]
