"""Issues' messages and entities, each way."""

from trackwire.v1 import issues_pb2 as pb
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.issue_entities import Issue, IssueChange, IssueSeverity, IssueStatus
from trackwire_server.core.issues import IssueDraft, IssuePage
from trackwire_server.core.searching import SearchRequest

_STATUS_TO_PROTO = {
    IssueStatus.PENDING: pb.ISSUE_STATUS_PENDING,
    IssueStatus.REJECTED: pb.ISSUE_STATUS_REJECTED,
    IssueStatus.RESOLVED: pb.ISSUE_STATUS_RESOLVED,
}
_STATUS_FROM_PROTO = {number: status for status, number in _STATUS_TO_PROTO.items()}
_SEVERITY_TO_PROTO = {
    None: pb.ISSUE_SEVERITY_UNSPECIFIED,
    IssueSeverity.NOT_AN_ISSUE: pb.ISSUE_SEVERITY_NOT_AN_ISSUE,
    IssueSeverity.LOW: pb.ISSUE_SEVERITY_LOW,
    IssueSeverity.MEDIUM: pb.ISSUE_SEVERITY_MEDIUM,
    IssueSeverity.HIGH: pb.ISSUE_SEVERITY_HIGH,
}
_SEVERITY_FROM_PROTO = {number: severity for severity, number in _SEVERITY_TO_PROTO.items()}


def draft_from_proto(request: pb.CreateIssueRequest) -> IssueDraft:
    """What CreateIssue asks for. Raises InvalidArgument."""
    return IssueDraft(
        experiment_id=request.experiment_id,
        name=request.name,
        description=request.description,
        issue_id=request.issue_id,
        request_id=request.request_id,
        status=status_from_proto("status", request.status),
        severity=severity_from_proto("severity", request.severity),
        root_causes=tuple(request.root_causes),
        categories=tuple(request.categories),
        source_run_id=request.source_run_id,
        created_by=request.created_by,
        last_seen_time_ms=request.last_seen_time_ms if request.HasField("last_seen_time_ms") else None,
        metadata=dict(request.metadata),
    )


def change_from_proto(request: pb.UpdateIssueRequest) -> IssueChange:
    """What UpdateIssue asks for. Raises InvalidArgument."""
    return IssueChange(
        name=request.name if request.HasField("name") else None,
        description=request.description if request.HasField("description") else None,
        status=status_from_proto("status", request.status),
        severity=severity_from_proto("severity", request.severity),
        categories=tuple(request.categories.names) if request.HasField("categories") else None,
        last_seen_time_ms=request.last_seen_time_ms if request.HasField("last_seen_time_ms") else None,
        last_updated_by=request.last_updated_by if request.HasField("last_updated_by") else None,
        metadata=dict(request.metadata),
        deleted_metadata=tuple(request.deleted_metadata_keys),
    )


def search_from_proto(request: pb.SearchIssuesRequest) -> SearchRequest:
    """A search as it was written."""
    return SearchRequest(
        filter=request.filter,
        order_by=tuple(request.order_by),
        page_size=request.page_size,
        page_token=request.page_token,
        experiment_ids=tuple(request.experiment_ids),
    )


def issue_to_proto(issue: Issue) -> pb.Issue:
    """An issue as it is sent."""
    return pb.Issue(
        issue_id=issue.issue_id,
        experiment_id=issue.experiment_id,
        name=issue.name,
        description=issue.description,
        status=_STATUS_TO_PROTO[issue.status],
        severity=_SEVERITY_TO_PROTO[issue.severity],
        root_causes=issue.root_causes,
        categories=issue.categories,
        source_run_id=issue.source_run_id,
        created_by=issue.created_by,
        last_updated_by=issue.last_updated_by,
        creation_time_ms=issue.creation_time_ms,
        last_update_time_ms=issue.last_update_time_ms,
        last_seen_time_ms=issue.last_seen_time_ms,
        metadata=issue.metadata,
    )


def page_to_proto(page: IssuePage) -> pb.SearchIssuesResponse:
    """A page of issues as it is sent."""
    return pb.SearchIssuesResponse(
        issues=map(issue_to_proto, page.issues), next_page_token=page.next_page_token, total_count=page.total_count
    )


def status_from_proto(field: str, status: pb.IssueStatus) -> IssueStatus | None:
    """What became of an issue; None where that is unspecified. Raises InvalidArgument."""
    if status == pb.ISSUE_STATUS_UNSPECIFIED:
        return None
    if status not in _STATUS_FROM_PROTO:
        raise InvalidArgument(field, status, f"is no status; there are {', '.join(pb.IssueStatus.keys()[1:])}")
    return _STATUS_FROM_PROTO[status]


def severity_from_proto(field: str, severity: pb.IssueSeverity) -> IssueSeverity | None:
    """How bad an issue is, if somebody said. Raises InvalidArgument."""
    if severity not in _SEVERITY_FROM_PROTO:
        known = ", ".join(pb.IssueSeverity.keys()[1:])
        raise InvalidArgument(field, severity, f"is no severity; there are {known}")
    return _SEVERITY_FROM_PROTO[severity]
