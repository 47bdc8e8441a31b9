"""An outage is told of once a second, not once a call."""

from trackwire_server.core.errors import NotFound, StorageFull, StoreUnavailable
from trackwire_server.core.store_failures import StoreFailures


class Lines:
    def __init__(self) -> None:
        self.said: list[dict[str, object]] = []

    def error(self, event: str, **values: object) -> None:
        self.said.append({"event": event, **values})


def test_failures_of_one_second_are_one_line_a_reason_and_the_next_line_counts_them() -> None:
    lines, seconds = Lines(), iter([0.0, 0.2, 0.4, 0.9, 1.1, 2.5])
    failures = StoreFailures(lines, lambda: next(seconds))
    away, full = StoreUnavailable("the database is away"), StorageFull("database")
    failures.tell(away, method="/IngestMetrics")
    for error in (away, full, away, away, away):
        failures.tell(error)
    assert [(line["reason"], line.get("untold_before")) for line in lines.said] == [
        ("STORE_UNAVAILABLE", None),
        (full.reason, None),
        ("STORE_UNAVAILABLE", 2),
        ("STORE_UNAVAILABLE", None),
    ]
    assert lines.said[0] == {
        "event": "store failed",
        "method": "/IngestMetrics",
        "reason": "STORE_UNAVAILABLE",
        "error": "the database is away",
    }


def test_what_is_no_fault_of_the_store_is_not_told() -> None:
    lines = Lines()
    StoreFailures(lines).tell(NotFound("run", "r", field="run_id"))
    assert lines.said == []
