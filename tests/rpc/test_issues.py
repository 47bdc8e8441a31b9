"""Every rpc of IssueService over a real socket, on each store."""

from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf.message import Message
from tests.conftest import Stubs
from tests.rpc.refusals import refusal

from trackwire.v1 import admin_pb2, experiments_pb2
from trackwire.v1 import issues_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Awaitable

CODE = grpc.StatusCode


async def create(stubs: Stubs, **fields: object) -> pb.Issue:
    said = {"experiment_id": "0", "name": "slow", "description": "Answers take a minute.", **fields}
    return (await stubs.issues.CreateIssue(pb.CreateIssueRequest(**said))).issue


async def update(stubs: Stubs, issue_id: str, **fields: object) -> pb.Issue:
    return (await stubs.issues.UpdateIssue(pb.UpdateIssueRequest(issue_id=issue_id, **fields))).issue


async def test_created_issue_comes_back(stubs: Stubs) -> None:
    made = await create(
        stubs,
        severity=pb.ISSUE_SEVERITY_HIGH,
        root_causes=["no cache"],
        categories=["latency", "cost"],
        source_run_id="r",
        created_by="ada",
        last_seen_time_ms=0,
        metadata={"team": "red"},
    )
    assert made == pb.Issue(
        issue_id=made.issue_id,
        experiment_id="0",
        name="slow",
        description="Answers take a minute.",
        status=pb.ISSUE_STATUS_PENDING,
        severity=pb.ISSUE_SEVERITY_HIGH,
        root_causes=["no cache"],
        categories=["latency", "cost"],
        source_run_id="r",
        created_by="ada",
        creation_time_ms=made.creation_time_ms,
        last_update_time_ms=made.creation_time_ms,
        last_seen_time_ms=0,
        metadata={"team": "red"},
    )
    assert (made.issue_id[:4], len(made.issue_id)) == ("iss-", 36)
    assert made.creation_time_ms > 0
    got = await stubs.issues.GetIssue(pb.GetIssueRequest(issue_id=made.issue_id))
    assert got.issue == made


async def test_what_nobody_said_is_not_there(stubs: Stubs) -> None:
    made = await create(stubs)
    assert (made.status, made.severity) == (pb.ISSUE_STATUS_PENDING, pb.ISSUE_SEVERITY_UNSPECIFIED)
    assert not made.HasField("last_seen_time_ms")


async def test_retry_answers_with_the_issue_that_is_there(stubs: Stubs) -> None:
    assert await create(stubs, request_id="q") == await create(stubs, request_id="q", name="other")
    await create(stubs, issue_id="mine")
    taken = pb.CreateIssueRequest(experiment_id="0", issue_id="mine", name="x", description="y")
    refused = await refusal(stubs.issues.CreateIssue(taken))
    assert (refused.code, refused.reason, refused.fields) == (
        CODE.ALREADY_EXISTS,
        "ISSUE_ALREADY_EXISTS",
        ("issue_id",),
    )


async def test_issue_changes(stubs: Stubs) -> None:
    issue_id = (await create(stubs, categories=["latency"], metadata={"a": "1", "b": "2"})).issue_id
    changed = await update(
        stubs,
        issue_id,
        name="slower",
        status=pb.ISSUE_STATUS_REJECTED,
        severity=pb.ISSUE_SEVERITY_LOW,
        last_seen_time_ms=7,
        last_updated_by="bob",
        metadata={"b": "3"},
        deleted_metadata_keys=["a", "never"],
    )
    assert (changed.name, changed.description) == ("slower", "Answers take a minute.")
    assert (changed.status, changed.severity) == (pb.ISSUE_STATUS_REJECTED, pb.ISSUE_SEVERITY_LOW)
    assert (changed.last_seen_time_ms, changed.last_updated_by, dict(changed.metadata)) == (7, "bob", {"b": "3"})
    assert list(changed.categories) == ["latency"]
    cleared = await update(stubs, issue_id, categories=pb.IssueCategories())
    assert (list(cleared.categories), cleared.severity) == ([], pb.ISSUE_SEVERITY_LOW)
    assert await update(stubs, issue_id) == cleared


async def test_search_goes_by_filter_order_and_page(stubs: Stubs) -> None:
    for name, severity in (("a", pb.ISSUE_SEVERITY_LOW), ("b", pb.ISSUE_SEVERITY_HIGH), ("c", 0)):
        await create(stubs, name=name, severity=severity)
    search = stubs.issues.SearchIssues
    everything = await search(pb.SearchIssuesRequest(include_total_count=True, page_size=2))
    assert ([issue.name for issue in everything.issues], everything.total_count) == (["b", "a"], 3)
    rest = await search(pb.SearchIssuesRequest(page_size=2, page_token=everything.next_page_token))
    assert [issue.name for issue in rest.issues] == ["c"]
    assert (rest.next_page_token, rest.HasField("total_count")) == ("", False)
    bad = await search(pb.SearchIssuesRequest(experiment_ids=["0"], filter="severity >= 'low'", order_by=["name"]))
    assert [issue.name for issue in bad.issues] == ["a", "b"]
    assert not (await search(pb.SearchIssuesRequest(experiment_ids=["77"]))).issues


async def test_issues_go_with_their_experiment(stubs: Stubs) -> None:
    await stubs.experiments.CreateExperiment(experiments_pb2.CreateExperimentRequest(name="old"))
    issue_id = (await create(stubs, experiment_id="1", categories=["x"], metadata={"a": "b"})).issue_id
    await stubs.experiments.DeleteExperiment(experiments_pb2.DeleteExperimentRequest(experiment_id="1"))
    refused = await refusal(
        stubs.issues.CreateIssue(pb.CreateIssueRequest(experiment_id="1", name="x", description="y"))
    )
    assert (refused.code, refused.reason) == (CODE.FAILED_PRECONDITION, "EXPERIMENT_DELETED")
    get = pb.GetIssueRequest(issue_id=issue_id)
    await stubs.admin.CollectGarbage(admin_pb2.CollectGarbageRequest(dry_run=True))
    await stubs.issues.GetIssue(get)
    await stubs.admin.CollectGarbage(admin_pb2.CollectGarbageRequest())
    refused = await refusal(stubs.issues.GetIssue(get))
    assert (refused.code, refused.reason) == (CODE.NOT_FOUND, "ISSUE_NOT_FOUND")


GOOD = {"experiment_id": "0", "name": "slow", "description": "It is."}
BAD: list[tuple[Message, str]] = [
    (pb.CreateIssueRequest(name="a", description="b"), "experiment_id"),
    (pb.CreateIssueRequest(experiment_id="0", description="b"), "name"),
    (pb.CreateIssueRequest(experiment_id="0", name="a"), "description"),
    (pb.CreateIssueRequest(**GOOD, issue_id="a b"), "issue_id"),
    (pb.CreateIssueRequest(**GOOD, request_id="r" * 65), "request_id"),
    (pb.CreateIssueRequest(**GOOD, status=9), "status"),
    (pb.CreateIssueRequest(**GOOD, severity=9), "severity"),
    (pb.CreateIssueRequest(**GOOD, root_causes=[""]), "root_causes[0]"),
    (pb.CreateIssueRequest(**GOOD, categories=["c" * 251]), "categories[0]"),
    (pb.CreateIssueRequest(**GOOD, source_run_id="/"), "source_run_id"),
    (pb.CreateIssueRequest(**GOOD, created_by="c" * 257), "created_by"),
    (pb.CreateIssueRequest(**GOOD, last_seen_time_ms=-1), "last_seen_time_ms"),
    (pb.CreateIssueRequest(**GOOD, metadata={"k": "v" * 65_537}), "metadata[k]"),
    (pb.GetIssueRequest(), "issue_id"),
    (pb.UpdateIssueRequest(), "issue_id"),
    (pb.UpdateIssueRequest(issue_id="iss-1", name=""), "name"),
    (pb.UpdateIssueRequest(issue_id="iss-1", status=9), "status"),
    (pb.UpdateIssueRequest(issue_id="iss-1", categories=pb.IssueCategories(names=[""])), "categories.names[0]"),
    (pb.UpdateIssueRequest(issue_id="iss-1", deleted_metadata_keys=["/"]), "deleted_metadata_keys[0]"),
    (pb.SearchIssuesRequest(experiment_ids=["x"]), "experiment_ids[0]"),
    (pb.SearchIssuesRequest(filter="severity = 'worst'"), "filter"),
    (pb.SearchIssuesRequest(order_by=["category"]), "order_by[0]"),
    (pb.SearchIssuesRequest(page_size=-1), "page_size"),
    (pb.SearchIssuesRequest(page_token="x"), "page_token"),
]


@pytest.mark.parametrize(("request_", "field"), BAD, ids=[f"{type(bad).__name__}-{field}" for bad, field in BAD])
async def test_bad_request_is_refused_by_field(stubs: Stubs, request_: Message, field: str) -> None:
    call: Awaitable[object] = getattr(stubs.issues, type(request_).__name__.removesuffix("Request"))(request_)
    refused = await refusal(call)
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, (field,))
    assert refused.message.startswith(f"{field}: ")
