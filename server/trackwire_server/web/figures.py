"""What /metrics tells; the library that makes text of it is loaded when somebody first asks."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from trackwire_server.core.figures import CallFigures, PoolFigures
from trackwire_server.core.metrics import Metrics

if TYPE_CHECKING:
    from trackwire_server.web.prometheus import Exposition

Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Figures:
    """Where a server's figures are found while it runs."""

    version: str
    store: str
    metrics: Metrics
    pools: Sequence[PoolFigures]
    rpcs: CallFigures
    http: CallFigures


def answer_with(figures: Figures) -> Answer:
    """What answers a GET of /metrics."""
    exposition: Exposition | None = None

    async def answer(_request: Request) -> Response:
        nonlocal exposition
        if exposition is None:
            exposition = await asyncio.to_thread(_exposition, figures)
        text = await exposition.text(time.time())
        return Response(text, media_type=exposition.media_type)

    return answer


def _exposition(figures: Figures) -> "Exposition":
    from trackwire_server.web.prometheus import Exposition

    return Exposition(figures)
