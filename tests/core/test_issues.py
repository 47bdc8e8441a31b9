"""The rules of issues, on the store in memory."""

from dataclasses import replace

import pytest
from tests.conftest import CountedIds, FakeClock

from trackwire_server.core.errors import AlreadyExists, InvalidArgument, NotFound
from trackwire_server.core.issue_entities import IssueChange, IssueSeverity, IssueStatus
from trackwire_server.core.issues import IssueDraft, Issues
from trackwire_server.core.searching import SearchRequest
from trackwire_server.stores.memory.issues import MemoryIssues
from trackwire_server.stores.memory.state import MemoryState

DRAFT = IssueDraft("0", "slow", "Answers take a minute.")


@pytest.fixture
def issues(memory_state: MemoryState, clock: FakeClock, new_id: CountedIds) -> Issues:
    return Issues(MemoryIssues(memory_state), clock, new_id)


async def test_server_chooses_what_is_not_said(issues: Issues, clock: FakeClock) -> None:
    made = await issues.create(DRAFT)
    assert made.issue_id == f"iss-{1:032x}"
    assert (made.status, made.severity, made.creation_time_ms) == (IssueStatus.PENDING, None, clock.now_ms)
    mine = await issues.create(replace(DRAFT, issue_id="mine", status=IssueStatus.RESOLVED))
    assert (mine.issue_id, mine.status) == ("mine", IssueStatus.RESOLVED)
    with pytest.raises(AlreadyExists):
        await issues.create(replace(DRAFT, issue_id="mine"))


async def test_change_is_noted_and_nothing_is_none(issues: Issues, clock: FakeClock) -> None:
    made = await issues.create(DRAFT)
    clock.advance(5)
    assert await issues.update(made.issue_id, IssueChange()) == made
    changed = await issues.update(made.issue_id, IssueChange(severity=IssueSeverity.LOW))
    assert changed == replace(made, severity=IssueSeverity.LOW, last_update_time_ms=clock.now_ms)
    with pytest.raises(NotFound):
        await issues.update("iss-9", IssueChange())


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (replace(DRAFT, experiment_id=""), "experiment_id"),
        (replace(DRAFT, experiment_id="x"), "experiment_id"),
        (replace(DRAFT, name=""), "name"),
        (replace(DRAFT, name="n" * 251), "name"),
        (replace(DRAFT, name="a\0b"), "name"),
        (replace(DRAFT, description=""), "description"),
        (replace(DRAFT, description="d" * 65_537), "description"),
        (replace(DRAFT, issue_id="a/b"), "issue_id"),
        (replace(DRAFT, issue_id="i" * 65), "issue_id"),
        (replace(DRAFT, request_id=" "), "request_id"),
        (replace(DRAFT, root_causes=["a"] * 101), "root_causes"),
        (replace(DRAFT, root_causes=["a", ""]), "root_causes[1]"),
        (replace(DRAFT, categories=["a"] * 101), "categories"),
        (replace(DRAFT, categories=["c" * 251]), "categories[0]"),
        (replace(DRAFT, source_run_id="/"), "source_run_id"),
        (replace(DRAFT, created_by="c" * 257), "created_by"),
        (replace(DRAFT, last_seen_time_ms=-1), "last_seen_time_ms"),
        (replace(DRAFT, metadata={"a\n": ""}), "metadata"),
        (replace(DRAFT, metadata={"a": "v" * 65_537}), "metadata[a]"),
    ],
)
async def test_bad_draft_is_refused_by_field(issues: Issues, draft: IssueDraft, field: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await issues.create(draft)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (IssueChange(name=""), "name"),
        (IssueChange(description=""), "description"),
        (IssueChange(categories=("",)), "categories.names[0]"),
        (IssueChange(categories=("c",) * 101), "categories.names"),
        (IssueChange(last_seen_time_ms=2**62), "last_seen_time_ms"),
        (IssueChange(last_updated_by="c" * 257), "last_updated_by"),
        (IssueChange(metadata={"../a": ""}), "metadata"),
        (IssueChange(deleted_metadata=("a", "")), "deleted_metadata_keys[1]"),
        (IssueChange(deleted_metadata=("a",) * 1_001), "deleted_metadata_keys"),
        (IssueChange(metadata={"a": "b"}, deleted_metadata=("a",)), "deleted_metadata_keys[0]"),
    ],
)
async def test_bad_change_is_refused_by_field(issues: Issues, change: IssueChange, field: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await issues.update("iss-1", change)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (SearchRequest(experiment_ids=("x",)), "experiment_ids[0]"),
        (SearchRequest(experiment_ids=("0",) * 1_001), "experiment_ids"),
        (SearchRequest("metrics.loss > 1"), "filter"),
        (SearchRequest(order_by=["categories"]), "order_by[0]"),
        (SearchRequest(page_size=50_001), "page_size"),
        (SearchRequest(page_token="x"), "page_token"),
    ],
)
async def test_bad_search_is_refused_by_field(issues: Issues, request_: SearchRequest, field: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await issues.search(request_)
    assert raised.value.field == field


async def test_token_leads_on_and_belongs_to_its_search(issues: Issues) -> None:
    made = [await issues.create(replace(DRAFT, severity=severity)) for severity in (None, IssueSeverity.LOW)]
    first = await issues.search(SearchRequest(page_size=1), count=True)
    assert (first.issues, first.total_count) == ([made[1]], 2)
    last = await issues.search(SearchRequest(page_size=1, page_token=first.next_page_token))
    assert (last.issues, last.next_page_token, last.total_count) == ([made[0]], "", None)
    with pytest.raises(InvalidArgument, match="another query"):
        await issues.search(SearchRequest("status = 'pending'", page_size=1, page_token=first.next_page_token))
