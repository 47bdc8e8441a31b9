"""The keys that runs have: what their metrics, params and tags are called."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from trackwire_server.core.entities import ViewType
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.paging import Position


class RunKeyKind(StrEnum):
    """What of a run has a key. Kinds come in the order of their values."""

    METRIC = "metric"
    PARAM = "param"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class RunKey:
    """A key that at least one run has."""

    kind: RunKeyKind
    key: str

    @property
    def position(self) -> tuple[str, str]:
        """Where it stands among others."""
        return self.kind.value, self.key


@dataclass(frozen=True, slots=True)
class RunKeyQuery:
    """Which keys are wanted: those of these kinds, each named once, that runs of experiments in a view have."""

    experiment_ids: tuple[str, ...]
    kinds: tuple[RunKeyKind, ...]
    view: ViewType
    page_size: int
    after: Position | None = None


def checked_kinds(kinds: Sequence[RunKeyKind]) -> tuple[RunKeyKind, ...]:
    """The kinds in their order, or all where none is named. Raises InvalidArgument for one that is named twice."""
    for index, kind in enumerate(kinds):
        if kind in kinds[:index]:
            raise InvalidArgument(f"kinds[{index}]", kind.value, "is named before: each kind may be named once")
    return tuple(sorted(kinds or RunKeyKind))
