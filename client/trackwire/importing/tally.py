"""What an import has found, copied, left as it was and failed to copy, by kind. Safe to use from many threads."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

EXPERIMENTS = "experiments"
RUNS = "runs"
POINTS = "points"
FILES = "files"
LOGGED_MODELS = "logged models"
REGISTERED_MODELS = "registered models"
VERSIONS = "model versions"
ISSUES = "issues"
EVALUATION_DATASETS = "evaluation datasets"
EVALUATION_RECORDS = "evaluation records"
KINDS = (
    EXPERIMENTS, RUNS, POINTS, FILES, LOGGED_MODELS, ISSUES, EVALUATION_DATASETS, EVALUATION_RECORDS,
    REGISTERED_MODELS, VERSIONS,
)  # fmt: skip


@dataclass(slots=True)
class Count:
    """Of one kind: `found` is what the source has, and of these the other three."""

    found: int = 0
    copied: int = 0
    there: int = 0
    failed: int = 0


@dataclass(slots=True)
class Tally:
    """Counts by kind, and what went wrong in words. `on_change` is told after every change, `on_failure` of each.

    `not_asked` has the kinds that the source has no way to give, and why.
    """

    on_change: Callable[[], object] = lambda: None
    on_failure: Callable[[str], object] = lambda words: None
    counts: dict[str, Count] = field(default_factory=lambda: {kind: Count() for kind in KINDS})
    failures: list[str] = field(default_factory=list)
    not_asked: dict[str, str] = field(default_factory=dict)
    points_read: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, *, found: int = 0, copied: int = 0, there: int = 0, failed: int = 0) -> None:
        """Adds to the counts of a kind."""
        with self._lock:
            count = self.counts[kind]
            count.found += found
            count.copied += copied
            count.there += there
            count.failed += failed
        self.on_change()

    def reading(self, points: int) -> None:
        """Notes that so many points were read."""
        with self._lock:
            self.points_read += points
        self.on_change()

    def fail(self, kind: str, words: str, *, count: int = 1) -> None:
        """Something could not be copied, or is not equal: in words that name it."""
        with self._lock:
            self.failures.append(words)
        self.on_failure(words)
        self.add(kind, failed=count)

    def leave_unasked(self, kind: str, why: str) -> None:
        """The source has no way to give things of a kind: no failure, but something to be said."""
        with self._lock:
            self.not_asked[kind] = why


def now_or_before(was_there: bool) -> dict[str, int]:
    """Of one thing, for `Tally.add`: whether it was copied now."""
    return {"there": 1} if was_there else {"copied": 1}
