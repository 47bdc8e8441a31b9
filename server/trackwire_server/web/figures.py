"""What /metrics tells; the library that makes text of it is loaded when somebody first asks."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from trackwire_server.core.figures import CallFigures, PoolFigures
from trackwire_server.core.metrics import Metrics
from trackwire_server.web.siblings import Siblings

if TYPE_CHECKING:
    from trackwire_server.web.prometheus import Exposition


@dataclass(frozen=True, slots=True)
class Figures:
    """Where a server's figures are found while it runs."""

    version: str
    store: str
    metrics: Metrics
    pools: Sequence[PoolFigures]
    rpcs: CallFigures
    http: CallFigures


class FigureDoor:
    """/metrics; a worker answers for its siblings, too."""

    def __init__(self, figures: Figures, siblings: Siblings | None = None):
        self._figures = figures
        self._siblings = siblings
        self._exposition: Exposition | None = None

    async def answer(self, _request: Request) -> Response:
        """All figures, as text."""
        exposition = await self._loaded()
        if self._siblings is None:
            text = await exposition.text(time.time())
        else:
            text = await exposition.text_of_all(self._siblings.number, await self._siblings.ask(), time.time())
        return Response(text, media_type=exposition.media_type)

    async def tell_sibling(self) -> bytes:
        """The figures of this process, for another worker."""
        return (await self._loaded()).packed()

    async def _loaded(self) -> "Exposition":
        if self._exposition is None:
            self._exposition = await asyncio.to_thread(_exposition, self._figures)
        return self._exposition


def _exposition(figures: Figures) -> "Exposition":
    from trackwire_server.web.prometheus import Exposition

    return Exposition(figures)
