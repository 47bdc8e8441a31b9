"""The contract of IssueStore, over every store that keeps it."""

from dataclasses import replace

import pytest
from tests.stores.conftest import Stores

from trackwire_server.core.entities import LifecycleStage, NewExperiment
from trackwire_server.core.errors import AlreadyExists, ExperimentDeleted, NotFound
from trackwire_server.core.issue_entities import Issue, IssueChange, IssueSeverity, IssueStatus, NewIssue
from trackwire_server.core.paging import SearchQuery
from trackwire_server.core.searching import SearchRequest, parse_search
from trackwire_server.search import ISSUES

NEW = NewIssue(
    issue_id="iss-1",
    experiment_id="0",
    name="slow",
    description="Answers take a minute.",
    creation_time_ms=1_000,
    severity=IssueSeverity.HIGH,
    root_causes=("no cache", "no index"),
    categories=("latency", "cost"),
    source_run_id="r1",
    created_by="ada",
    last_seen_time_ms=900,
    metadata={"team": "red"},
)
BARE = NewIssue("iss-1", "0", "slow", "Answers take a minute.", 1_000)


async def add(stores: Stores, *issue_ids: str, **fields: object) -> None:
    """Bare issues, each made a millisecond after the one before."""
    for at, issue_id in enumerate(issue_ids):
        await stores.issues.create_issue(replace(BARE, issue_id=issue_id, creation_time_ms=1_000 + at, **fields))


def query_of(text: str = "", *order_by: str, experiment_ids: tuple[str, ...] = (), page_size: int = 0) -> SearchQuery:
    request = SearchRequest(text, order_by, experiment_ids=experiment_ids, page_size=page_size)
    return parse_search(request, ISSUES, page_size_default=100, page_size_max=100).query


async def found(stores: Stores, text: str = "", *order_by: str, experiment_ids: tuple[str, ...] = ()) -> list[str]:
    """The ids of the issues that a search finds."""
    query = query_of(text, *order_by, experiment_ids=experiment_ids)
    page = await stores.issues.search_issues(query)
    assert page.next_position is None
    assert await stores.issues.count_issues(query) == len(page.items)
    return [issue.issue_id for issue in page.items]


async def test_created_issue_is_read_back_whole(stores: Stores) -> None:
    created = await stores.issues.create_issue(NEW)
    assert created == Issue(
        issue_id="iss-1",
        experiment_id="0",
        name="slow",
        description="Answers take a minute.",
        creation_time_ms=1_000,
        last_update_time_ms=1_000,
        status=IssueStatus.PENDING,
        severity=IssueSeverity.HIGH,
        root_causes=("no cache", "no index"),
        categories=("latency", "cost"),
        source_run_id="r1",
        created_by="ada",
        last_seen_time_ms=900,
        metadata={"team": "red"},
    )
    assert await stores.issues.get_issue("iss-1") == created


async def test_issue_of_few_words_is_read_back_as_it_is(stores: Stores) -> None:
    created = await stores.issues.create_issue(BARE)
    assert created == Issue("iss-1", "0", "slow", "Answers take a minute.", 1_000, 1_000)
    assert await stores.issues.get_issue("iss-1") == created


async def test_same_request_answers_with_the_issue_that_it_made(stores: Stores) -> None:
    await stores.issues.create_issue(replace(NEW, request_id="q"))
    changed = await stores.issues.update_issue("iss-1", IssueChange(name="slower"), now_ms=2_000)
    again = await stores.issues.create_issue(replace(NEW, issue_id="iss-2", request_id="q"))
    assert again == changed
    assert await found(stores) == ["iss-1"]


async def test_id_is_taken_once(stores: Stores) -> None:
    created = await stores.issues.create_issue(NEW)
    with pytest.raises(AlreadyExists, match="issue 'iss-1' exists already"):
        await stores.issues.create_issue(replace(NEW, name="other", request_id="q", categories=("x",)))
    assert await stores.issues.get_issue("iss-1") == created


async def test_issues_are_made_in_active_experiments_only(stores: Stores) -> None:
    with pytest.raises(NotFound, match="experiment '7' does not exist"):
        await stores.issues.create_issue(replace(NEW, experiment_id="7"))
    made = await stores.experiments.create_experiment(NewExperiment("gone", 1))
    await stores.experiments.set_experiment_stage(made.experiment_id, LifecycleStage.DELETED, now_ms=2)
    with pytest.raises(ExperimentDeleted):
        await stores.issues.create_issue(replace(NEW, experiment_id=made.experiment_id))


async def test_unknown_issue_is_not_found(stores: Stores) -> None:
    with pytest.raises(NotFound, match="issue 'iss-1' does not exist"):
        await stores.issues.get_issue("iss-1")
    with pytest.raises(NotFound, match="issue 'iss-1' does not exist"):
        await stores.issues.update_issue("iss-1", IssueChange(name="x"), now_ms=2_000)


CHANGES: list[tuple[IssueChange, dict[str, object]]] = [
    (IssueChange(name="slower"), {"name": "slower"}),
    (IssueChange(description="Two."), {"description": "Two."}),
    (IssueChange(status=IssueStatus.REJECTED), {"status": IssueStatus.REJECTED}),
    (IssueChange(severity=IssueSeverity.NOT_AN_ISSUE), {"severity": IssueSeverity.NOT_AN_ISSUE}),
    (IssueChange(categories=("b", "a", "c")), {"categories": ("b", "a", "c")}),
    (IssueChange(categories=()), {"categories": ()}),
    (IssueChange(last_seen_time_ms=0), {"last_seen_time_ms": 0}),
    (IssueChange(last_updated_by="bob"), {"last_updated_by": "bob"}),
    (IssueChange(metadata={"team": "blue", "a": ""}), {"metadata": {"team": "blue", "a": ""}}),
    (IssueChange(deleted_metadata=("team", "never")), {"metadata": {}}),
    (IssueChange(metadata={"a": "b"}, deleted_metadata=("team",)), {"metadata": {"a": "b"}}),
]


@pytest.mark.parametrize(("change", "fields"), CHANGES)
async def test_update_changes_what_is_given(stores: Stores, change: IssueChange, fields: dict[str, object]) -> None:
    created = await stores.issues.create_issue(NEW)
    changed = await stores.issues.update_issue("iss-1", change, now_ms=2_000)
    assert changed == replace(created, last_update_time_ms=2_000, **fields)
    assert await stores.issues.get_issue("iss-1") == changed


async def test_worst_come_first_and_of_these_the_newest(stores: Stores) -> None:
    await add(stores, "none-1", "none-2")
    await add(stores, "low", severity=IssueSeverity.LOW)
    await add(stores, "high-1", "high-2", severity=IssueSeverity.HIGH)
    await add(stores, "not", severity=IssueSeverity.NOT_AN_ISSUE)
    await add(stores, "medium", severity=IssueSeverity.MEDIUM)
    await add(stores, "high-0", severity=IssueSeverity.HIGH)
    assert await found(stores) == ["high-2", "high-0", "high-1", "medium", "low", "not", "none-2", "none-1"]
    least_first = ["not", "low", "medium", "high-2", "high-0", "high-1", "none-2", "none-1"]
    assert await found(stores, "", "severity") == least_first


@pytest.mark.parametrize("order_by", [(), ("severity",), ("last_seen_timestamp DESC",), ("name", "status DESC")])
@pytest.mark.parametrize("page_size", [1, 2, 3])
async def test_pages_follow_each_other(stores: Stores, order_by: tuple[str, ...], page_size: int) -> None:
    severities = [None, IssueSeverity.LOW, IssueSeverity.HIGH]
    for at in range(7):
        severity, seen = severities[at % 3], None if at % 2 else at
        await add(stores, f"i-{at}", severity=severity, last_seen_time_ms=seen, name="ab"[at % 2])
    expected = await found(stores, "", *order_by)
    query = query_of("", *order_by, page_size=page_size)
    seen_ids: list[str] = []
    while True:
        page = await stores.issues.search_issues(query)
        seen_ids += [issue.issue_id for issue in page.items]
        assert await stores.issues.count_issues(query) == 7
        if page.next_position is None:
            break
        query = replace(query, after=page.next_position)
    assert seen_ids == expected


@pytest.fixture
async def several(stores: Stores) -> Stores:
    """Issues a, b and c; c says nothing of itself."""
    await stores.issues.create_issue(replace(NEW, issue_id="a"))
    await stores.issues.create_issue(
        replace(
            NEW,
            issue_id="b",
            name="wrong",
            severity=IssueSeverity.LOW,
            status=IssueStatus.RESOLVED,
            categories=("Latency", "safety"),
            source_run_id="r2",
            last_seen_time_ms=950,
        )
    )
    await stores.issues.create_issue(replace(BARE, issue_id="c"))
    await stores.issues.update_issue("b", IssueChange(last_updated_by="bob"), now_ms=5_000)
    return stores


FILTERS = [
    ("status = 'pending'", "a c"),
    ("status != 'Pending'", "b"),
    ("status IN ('RESOLVED', 'rejected')", "b"),
    ("severity = 'high'", "a"),
    ("severity >= 'low'", "a b"),
    ("severity < 'MEDIUM'", "b"),
    ("severity != 'high'", "b"),
    ("NOT severity = 'high'", "b c"),
    ("severity IN ('low', 'not_an_issue')", "b"),
    ("severity IS NULL", "c"),
    ("name LIKE 's%'", "a c"),
    ("description ILIKE '%MINUTE%'", "a b c"),
    ("categories = 'latency'", "a"),
    ("category ILIKE 'LATENCY'", "a b"),
    ("categories != 'latency'", "a b"),
    ("NOT categories = 'latency'", "b c"),
    ("categories IN ('cost', 'safety')", "a b"),
    ("categories IS NULL", "c"),
    ("categories IS NOT NULL AND categories LIKE '%c%'", "a b"),
    ("categories NOT LIKE '%c%'", "b"),
    ("source_run_id = 'r1'", "a"),
    ("source_run_id != 'r1'", "b"),
    ("source_run_id IS NULL", "c"),
    ("created_by = 'ada'", "a b"),
    ("created_by IS NULL", "c"),
    ("last_updated_by = 'bob' AND last_updated_timestamp = 5000", "b"),
    ("creation_timestamp = 1000 AND created_timestamp > 999", "a b c"),
    ("last_seen_timestamp > 900", "b"),
    ("last_seen_time IS NULL", "c"),
    ("issue_id IN ('a', 'c') AND experiment_id = '0'", "a c"),
    ("attributes.status = 'resolved' OR severity IS NULL", "b c"),
]


@pytest.mark.parametrize(("text", "ids"), FILTERS)
async def test_filter_finds_what_matches(several: Stores, text: str, ids: str) -> None:
    assert sorted(await found(several, text)) == ids.split()


async def test_search_stays_in_its_experiments(stores: Stores) -> None:
    made = await stores.experiments.create_experiment(NewExperiment("other", 1))
    await add(stores, "a")
    await add(stores, "b", experiment_id=made.experiment_id)
    assert await found(stores, experiment_ids=("0",)) == ["a"]
    assert await found(stores, experiment_ids=(made.experiment_id,)) == ["b"]
    assert sorted(await found(stores, experiment_ids=("0", made.experiment_id, "99"))) == ["a", "b"]
    assert sorted(await found(stores)) == ["a", "b"]
    await stores.experiments.set_experiment_stage(made.experiment_id, LifecycleStage.DELETED, now_ms=2)
    assert sorted(await found(stores)) == ["a", "b"]


async def test_issues_go_with_their_experiment(stores: Stores) -> None:
    made = await stores.experiments.create_experiment(NewExperiment("old", 1))
    await add(stores, "kept")
    await stores.issues.create_issue(
        replace(NEW, issue_id="gone", experiment_id=made.experiment_id, request_id="q", categories=("x",))
    )
    await stores.experiments.set_experiment_stage(made.experiment_id, LifecycleStage.DELETED, now_ms=2)
    assert (await stores.issues.get_issue("gone")).categories == ("x",)
    assert await stores.garbage.remove_experiment(made.experiment_id, before_ms=3)
    with pytest.raises(NotFound):
        await stores.issues.get_issue("gone")
    assert await found(stores) == ["kept"]
    # Its ids are free again, and nothing of it hangs on.
    again = await stores.issues.create_issue(replace(BARE, issue_id="gone", request_id="q"))
    assert (again.categories, again.metadata) == ((), {})
