"""The rules of issues."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trackwire_server.core.checks import (
    check_characters,
    check_entries,
    check_key,
    check_required,
    check_run_id,
    check_time,
    check_token,
)
from trackwire_server.core.clock import Clock, NewId
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.experiments import check_experiment_id, check_experiments_searched
from trackwire_server.core.issue_entities import Issue, IssueChange, IssueSeverity, IssueStatus, NewIssue
from trackwire_server.core.issue_store import IssueStore
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.searching import ParsedSearch, SearchRequest, parse_search
from trackwire_server.search import ISSUES


@dataclass(frozen=True, slots=True)
class IssueDraft:
    """An issue as it is asked for; what is empty or None is chosen by `Issues.create`."""

    experiment_id: str
    name: str
    description: str
    issue_id: str = ""
    request_id: str = ""
    status: IssueStatus | None = None
    severity: IssueSeverity | None = None
    root_causes: Sequence[str] = ()
    categories: Sequence[str] = ()
    source_run_id: str = ""
    created_by: str = ""
    last_seen_time_ms: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IssuePage:
    """Issues in order, the token of the next page, and how many match on all pages, where that was asked for."""

    issues: Sequence[Issue]
    next_page_token: str
    total_count: int | None = None


class Issues:
    """What may be done with issues."""

    def __init__(self, store: IssueStore, clock: Clock, new_id: NewId):
        self._store = store
        self._clock = clock
        self._new_id = new_id

    async def create(self, draft: IssueDraft) -> Issue:
        """Makes an issue. Raises AlreadyExists, and NotFound and ExperimentDeleted for its experiment.

        A retry with the same `request_id` answers with the issue that the first call made.
        """
        _check_draft(draft)
        return await self._store.create_issue(
            NewIssue(
                issue_id=draft.issue_id or f"iss-{self._new_id()}",
                experiment_id=draft.experiment_id,
                name=draft.name,
                description=draft.description,
                creation_time_ms=self._clock(),
                request_id=draft.request_id,
                status=draft.status or IssueStatus.PENDING,
                severity=draft.severity,
                root_causes=tuple(draft.root_causes),
                categories=tuple(draft.categories),
                source_run_id=draft.source_run_id,
                created_by=draft.created_by,
                last_seen_time_ms=draft.last_seen_time_ms,
                metadata=dict(draft.metadata),
            )
        )

    async def get(self, issue_id: str) -> Issue:
        """An issue. Raises NotFound."""
        return await self._store.get_issue(check_issue_id("issue_id", issue_id))

    async def update(self, issue_id: str, change: IssueChange) -> Issue:
        """Changes an issue, unless nothing is asked for. Raises NotFound."""
        check_issue_id("issue_id", issue_id)
        if change == IssueChange():
            return await self._store.get_issue(issue_id)
        _check_change(change)
        return await self._store.update_issue(issue_id, change, now_ms=self._clock())

    async def search(self, request: SearchRequest, *, count: bool = False) -> IssuePage:
        """A page of issues, of all experiments where none is named; with `count` also how many match in all."""
        search = _parsed(request)
        page = await self._store.search_issues(search.query)
        total = await self._store.count_issues(search.query) if count else None
        return IssuePage(page.items, search.token(page.next_position), total)


def check_issue_id(field: str, issue_id: str) -> str:
    """The id of an issue; whether there is one is for the store to say."""
    return check_token(field, issue_id, LIMITS.issue_id_characters)


def _parsed(request: SearchRequest) -> ParsedSearch:
    if request.experiment_ids:
        check_experiments_searched(request.experiment_ids)
    return parse_search(
        replace(request, experiment_ids=tuple(dict.fromkeys(request.experiment_ids))),
        ISSUES,
        page_size_default=LIMITS.issues_page_size_default,
        page_size_max=LIMITS.issues_page_size,
    )


def check_issue(field: str, issue: Issue) -> None:
    """An issue that was made elsewhere. Raises InvalidArgument."""
    check_issue_id(f"{field}.issue_id", issue.issue_id)
    _check_said(f"{field}.", issue, LIMITS.entries_per_import)
    check_characters(f"{field}.last_updated_by", issue.last_updated_by, LIMITS.user_id_characters)
    check_time(f"{field}.creation_time_ms", issue.creation_time_ms)
    check_time(f"{field}.last_update_time_ms", issue.last_update_time_ms)


def _check_draft(draft: IssueDraft) -> None:
    if draft.request_id:
        check_token("request_id", draft.request_id, LIMITS.request_id_characters)
    if draft.issue_id:
        check_issue_id("issue_id", draft.issue_id)
    _check_said("", draft, LIMITS.entries_per_request)


def _check_said(at: str, said: IssueDraft | Issue, metadata_limit: int) -> None:
    check_experiment_id(f"{at}experiment_id", said.experiment_id)
    check_required(f"{at}name", said.name, LIMITS.issue_name_characters)
    check_required(f"{at}description", said.description, LIMITS.description_characters)
    _check_list(f"{at}root_causes", said.root_causes, LIMITS.description_characters)
    _check_list(f"{at}categories", said.categories, LIMITS.issue_category_characters)
    if said.source_run_id:
        check_run_id(f"{at}source_run_id", said.source_run_id)
    check_characters(f"{at}created_by", said.created_by, LIMITS.user_id_characters)
    if said.last_seen_time_ms is not None:
        check_time(f"{at}last_seen_time_ms", said.last_seen_time_ms)
    values = LIMITS.tag_value_characters
    check_entries(f"{at}metadata", said.metadata, value_limit=values, required=False, limit=metadata_limit)


def _check_change(change: IssueChange) -> None:
    if change.name is not None:
        check_required("name", change.name, LIMITS.issue_name_characters)
    if change.description is not None:
        check_required("description", change.description, LIMITS.description_characters)
    if change.categories is not None:
        _check_list("categories.names", change.categories, LIMITS.issue_category_characters)
    if change.last_seen_time_ms is not None:
        check_time("last_seen_time_ms", change.last_seen_time_ms)
    if change.last_updated_by is not None:
        check_characters("last_updated_by", change.last_updated_by, LIMITS.user_id_characters)
    check_entries("metadata", change.metadata, value_limit=LIMITS.tag_value_characters, required=False)
    _check_deleted_metadata(change)


def _check_deleted_metadata(change: IssueChange) -> None:
    field, limit = "deleted_metadata_keys", LIMITS.entries_per_request
    if len(change.deleted_metadata) > limit:
        raise InvalidArgument(
            field, len(change.deleted_metadata), f"at most {limit:,} keys are allowed in one request", limit=limit
        )
    for index, key in enumerate(change.deleted_metadata):
        check_key(f"{field}[{index}]", key)
        if key in change.metadata:
            raise InvalidArgument(f"{field}[{index}]", key, "is to be set as well, by metadata")


def _check_list(field: str, texts: Sequence[str], characters: int) -> None:
    limit = LIMITS.issue_list_entries
    if len(texts) > limit:
        raise InvalidArgument(field, len(texts), f"at most {limit} are allowed", limit=limit)
    for index, text in enumerate(texts):
        check_required(f"{field}[{index}]", text, characters)
