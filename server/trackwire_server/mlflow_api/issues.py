"""MLflow's issues."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from trackwire_server.core.checks import check_characters
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.experiments import check_experiment_id
from trackwire_server.core.issue_entities import Issue, IssueChange, IssueSeverity, IssueStatus
from trackwire_server.core.issues import IssueDraft, Issues
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.searching import SearchRequest, check_filter
from trackwire_server.mlflow_api.door import Answer, Rpc
from trackwire_server.mlflow_api.enums import Member, member_named
from trackwire_server.mlflow_api.errors import fields_called
from trackwire_server.mlflow_api.reading import Int32, Int64
from trackwire_server.mlflow_api.searches import check_max_results
from trackwire_server.search import ISSUES

_STATUSES = {status.value.lower(): status for status in IssueStatus}
_SEVERITIES = {severity.name.lower(): severity for severity in IssueSeverity}
# All that there is of an issue is in both.
_VIEWS = ("basic", "full")
# What core calls otherwise than MLflow's requests do.
_FIELDS = {
    "filter": "filter_string",
    "categories.names": "categories",
    "last_seen_time_ms": "last_seen_timestamp",
    "deleted_metadata_keys": "delete_metadata_keys",
}


class CreateIssue(Struct):
    experiment_id: str = ""
    name: str = ""
    description: str = ""
    status: str = ""
    severity: str = ""
    root_causes: list[str] = []
    source_run_id: str = ""
    created_by: str = ""
    categories: list[str] = []
    issue_id: str = ""
    last_seen_timestamp: Int64 | None = None
    metadata: dict[str, str] = {}


class UpdateIssue(Struct):
    issue_id: str = ""
    name: str = ""
    description: str = ""
    status: str = ""
    severity: str = ""
    categories: list[str] = []
    last_seen_timestamp: Int64 | None = None
    last_updated_by: str = ""
    metadata: dict[str, str] = {}
    delete_metadata_keys: list[str] = []


class GetIssue(Struct):
    issue_id: str = ""


class SearchIssues(Struct):
    experiment_id: str = ""
    filter_string: str = ""
    max_results: Int32 = LIMITS.issues_page_size_default
    page_token: str = ""
    include_trace_count: bool = False
    name: str = ""
    statuses: list[str] = []
    severities: list[str] = []
    categories: list[str] = []
    order_by: list[str] = []
    include_total_count: bool = False
    view: str = ""


class IssueDoor:
    """Issues, as MLflow's clients ask for them."""

    def __init__(self, issues: Issues):
        self._issues = issues

    def rpcs(self) -> Sequence[Rpc]:
        at = "3.0/mlflow/issues"
        return (
            Rpc("POST", at, CreateIssue, self.create),
            Rpc("POST", f"{at}/search", SearchIssues, self.search),
            Rpc("GET", f"{at}/{{issue_id}}", GetIssue, self.get),
            Rpc("PATCH", f"{at}/{{issue_id}}", UpdateIssue, self.update),
        )

    async def create(self, request: CreateIssue) -> Answer:
        draft = IssueDraft(
            experiment_id=request.experiment_id,
            name=request.name,
            description=request.description,
            issue_id=request.issue_id,
            status=member_named("status", request.status, _STATUSES) if request.status else None,
            severity=member_named("severity", request.severity, _SEVERITIES) if request.severity else None,
            root_causes=request.root_causes,
            categories=request.categories,
            source_run_id=request.source_run_id,
            created_by=request.created_by,
            last_seen_time_ms=request.last_seen_timestamp,
            metadata=request.metadata,
        )
        with fields_called(_FIELDS):
            return {"issue": to_json(await self._issues.create(draft))}

    async def get(self, request: GetIssue) -> Answer:
        return {"issue": to_json(await self._issues.get(request.issue_id))}

    async def update(self, request: UpdateIssue) -> Answer:
        """What is empty stays as it is."""
        change = IssueChange(
            name=request.name or None,
            description=request.description or None,
            status=member_named("status", request.status, _STATUSES) if request.status else None,
            severity=member_named("severity", request.severity, _SEVERITIES) if request.severity else None,
            categories=tuple(request.categories) or None,
            last_seen_time_ms=request.last_seen_timestamp,
            last_updated_by=request.last_updated_by or None,
            metadata=request.metadata,
            deleted_metadata=tuple(request.delete_metadata_keys),
        )
        with fields_called(_FIELDS):
            return {"issue": to_json(await self._issues.update(request.issue_id, change))}

    async def search(self, request: SearchIssues) -> Answer:
        """Without an experiment, in all of them."""
        if request.view and request.view not in _VIEWS:
            raise InvalidArgument("view", request.view, f"must be one of {', '.join(_VIEWS)}")
        if request.experiment_id:
            check_experiment_id("experiment_id", request.experiment_id)
        with fields_called(_FIELDS):
            search = SearchRequest(
                filter=_filter(request),
                order_by=request.order_by,
                page_size=check_max_results(request.max_results, LIMITS.issues_page_size),
                page_token=request.page_token,
                experiment_ids=(request.experiment_id,) if request.experiment_id else (),
            )
            page = await self._issues.search(search, count=request.include_total_count)
        # There are no traces to count.
        counted = {"trace_count": 0} if request.include_trace_count else {}
        return {
            "issues": [{**to_json(issue), **counted} for issue in page.issues],
            "next_page_token": page.next_page_token,
        } | ({} if page.total_count is None else {"total_count": page.total_count})


def to_json(issue: Issue) -> Answer:
    """An issue in MLflow's shape."""
    said = {
        "severity": "" if issue.severity is None else issue.severity.name.lower(),
        "root_causes": issue.root_causes,
        "source_run_id": issue.source_run_id,
        "created_by": issue.created_by,
        "categories": issue.categories,
        "last_updated_by": issue.last_updated_by,
        "metadata": issue.metadata,
    }
    seen = {} if issue.last_seen_time_ms is None else {"last_seen_timestamp": issue.last_seen_time_ms}
    return {
        "issue_id": issue.issue_id,
        "experiment_id": issue.experiment_id,
        "name": issue.name,
        "description": issue.description,
        "status": issue.status.value.lower(),
        "created_timestamp": issue.creation_time_ms,
        "last_updated_timestamp": issue.last_update_time_ms,
        **seen,
        **{name: value for name, value in said.items() if value},
    }


def _filter(request: SearchIssues) -> str:
    """All that a search asks for, as one filter; each part of it is checked by itself, under its own name."""
    check_filter(request.filter_string, ISSUES)
    check_characters("name", request.name, LIMITS.issue_name_characters)
    statuses = [status.value for status in _members("statuses", request.statuses, _STATUSES)]
    severities = [severity.name for severity in _members("severities", request.severities, _SEVERITIES)]
    limit = LIMITS.issue_list_entries
    if len(request.categories) > limit:
        raise InvalidArgument("categories", len(request.categories), f"at most {limit} are allowed", limit=limit)
    for at, category in enumerate(request.categories):
        check_characters(f"categories[{at}]", category, LIMITS.issue_category_characters)
    conditions = [
        f"name ILIKE {_quoted(f'%{request.name}%')}" if request.name else "",
        _any_of("status", statuses),
        _any_of("severity", severities),
        " OR ".join(f"categories ILIKE {_quoted(each)}" for each in request.categories),
    ]
    said = [f"({each})" for each in conditions if each]
    if not said:
        return request.filter_string
    return " AND ".join([f"({request.filter_string})", *said] if request.filter_string.strip() else said)


def _members(field: str, names: Sequence[str], members: Mapping[str, Member]) -> list[Member]:
    return [member_named(f"{field}[{at}]", name, members) for at, name in enumerate(names)]


def _any_of(field: str, names: Sequence[str]) -> str:
    # One name many times is one name.
    return f"{field} IN ({', '.join(map(_quoted, dict.fromkeys(names)))})" if names else ""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
