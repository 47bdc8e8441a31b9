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
KINDS = (EXPERIMENTS, RUNS, POINTS, FILES, LOGGED_MODELS, REGISTERED_MODELS, VERSIONS)


@dataclass(slots=True)
class Count:
    """Of one kind: `found` is what the source has, and of these the other three."""

    found: int = 0
    copied: int = 0
    there: int = 0
    failed: int = 0


@dataclass(slots=True)
class Tally:
    """Counts by kind, and what went wrong in words. `on_change` is told after every change, `on_failure` of each."""

    on_change: Callable[[], object] = lambda: None
    on_failure: Callable[[str], object] = lambda words: None
    counts: dict[str, Count] = field(default_factory=lambda: {kind: Count() for kind in KINDS})
    failures: list[str] = field(default_factory=list)
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
