"""Issues: problems found in an experiment, and what became of them."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypedDict, Unpack

from trackwire.client.calls import Calls, enum_name, text_list
from trackwire.v1 import issues_pb2 as pb
from trackwire.v1.issues_pb2 import Issue, SearchIssuesResponse

IssueStatusName = Literal["PENDING", "REJECTED", "RESOLVED"]
ISSUE_STATUSES: tuple[str, ...] = ("PENDING", "REJECTED", "RESOLVED")
IssueSeverityName = Literal["NOT_AN_ISSUE", "LOW", "MEDIUM", "HIGH"]
ISSUE_SEVERITIES: tuple[str, ...] = ("NOT_AN_ISSUE", "LOW", "MEDIUM", "HIGH")


class IssueOptions(TypedDict, total=False):
    """What a new issue may say of itself."""

    status: IssueStatusName  # PENDING where missing.
    severity: IssueSeverityName
    root_causes: str | Sequence[str]  # Why it is so.
    categories: str | Sequence[str]  # What kinds of problem it is.
    source_run_id: str  # The run that found it.
    created_by: str
    last_seen_time_ms: int
    metadata: Mapping[str, str]
    issue_id: str  # Generated where missing.
    request_id: str  # Makes the caller's own retry safe; generated where missing.


class IssueChanges(TypedDict, total=False):
    """What is to change of an issue; what is missing stays as it is."""

    name: str
    description: str
    status: IssueStatusName
    severity: IssueSeverityName
    categories: str | Sequence[str]  # In place of all that it had.
    last_seen_time_ms: int
    last_updated_by: str
    metadata: Mapping[str, str]  # To set.
    deleted_metadata_keys: str | Sequence[str]


def issue_status_name(status: str) -> str:
    """An issue's status as the proto spells it."""
    return enum_name("status", status, ISSUE_STATUSES, prefix="ISSUE_STATUS")


def issue_severity_name(severity: str) -> str:
    """An issue's severity as the proto spells it."""
    return enum_name("severity", severity, ISSUE_SEVERITIES, prefix="ISSUE_SEVERITY")


class IssueMethods(Calls):
    """The client's methods for issues."""

    def create_issue(self, experiment_id: str, name: str, description: str, **options: Unpack[IssueOptions]) -> Issue:
        """Makes an issue in an experiment; safe to be sent again by the channel."""
        request = _create_request(experiment_id, name, description, options)
        return self._call(request, pb.CreateIssueResponse, lambda response: response.issue)

    def get_issue(self, issue_id: str) -> Issue:
        """An issue."""
        request = pb.GetIssueRequest(issue_id=issue_id)
        return self._call(request, pb.GetIssueResponse, lambda response: response.issue)

    def update_issue(self, issue_id: str, **changes: Unpack[IssueChanges]) -> Issue:
        """Changes what is known of an issue; what is not given stays as it is."""
        request = _update_request(issue_id, changes)
        return self._call(request, pb.UpdateIssueResponse, lambda response: response.issue)

    def search_issues(
        self,
        experiment_ids: str | Sequence[str] = (),
        filter_string: str = "",
        *,
        order_by: str | Sequence[str] = (),
        max_results: int | None = None,
    ) -> Iterator[Issue]:
        """Issues that match a filter such as `status = 'pending'`, the worst first; without experiments, of all."""
        request = _search_request(experiment_ids, filter_string, order_by)
        return self._pages(request, SearchIssuesResponse, lambda page: page.issues, max_results=max_results)

    def search_issues_page(
        self,
        experiment_ids: str | Sequence[str] = (),
        filter_string: str = "",
        *,
        order_by: str | Sequence[str] = (),
        page_size: int = 0,
        page_token: str = "",
        include_total_count: bool = False,
    ) -> SearchIssuesResponse:
        """One page of what `search_issues` finds, at most 50,000 (100 where 0), and the next one's token."""
        request = _search_request(experiment_ids, filter_string, order_by)
        request.MergeFrom(
            pb.SearchIssuesRequest(page_size=page_size, page_token=page_token, include_total_count=include_total_count)
        )
        return self._call(request, SearchIssuesResponse, lambda response: response)


def _create_request(experiment_id: str, name: str, description: str, options: IssueOptions) -> pb.CreateIssueRequest:
    status, severity = options.pop("status", None), options.pop("severity", None)
    request = pb.CreateIssueRequest(
        experiment_id=experiment_id,
        name=name,
        description=description,
        status=issue_status_name(status) if status else None,
        severity=issue_severity_name(severity) if severity else None,
        root_causes=text_list("root_causes", options.pop("root_causes", ())),
        categories=text_list("categories", options.pop("categories", ())),
    )
    request.MergeFrom(pb.CreateIssueRequest(**options))
    request.request_id = request.request_id or uuid.uuid4().hex
    return request


def _update_request(issue_id: str, changes: IssueChanges) -> pb.UpdateIssueRequest:
    status, severity = changes.pop("status", None), changes.pop("severity", None)
    categories = changes.pop("categories", None)
    request = pb.UpdateIssueRequest(
        issue_id=issue_id,
        status=issue_status_name(status) if status else None,
        severity=issue_severity_name(severity) if severity else None,
        categories=None if categories is None else pb.IssueCategories(names=text_list("categories", categories)),
        deleted_metadata_keys=text_list("deleted_metadata_keys", changes.pop("deleted_metadata_keys", ())),
    )
    request.MergeFrom(pb.UpdateIssueRequest(**changes))  # type: ignore[arg-type]  # categories are out of it by now
    return request


def _search_request(
    experiment_ids: str | Sequence[str], filter_string: str, order_by: str | Sequence[str]
) -> pb.SearchIssuesRequest:
    return pb.SearchIssuesRequest(
        experiment_ids=text_list("experiment_ids", experiment_ids),
        filter=filter_string,
        order_by=text_list("order_by", order_by),
    )
