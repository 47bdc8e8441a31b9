"""Issues in memory."""

from dataclasses import replace

from trackwire_server.core.entities import LifecycleStage
from trackwire_server.core.errors import AlreadyExists, ExperimentDeleted
from trackwire_server.core.issue_entities import Issue, IssueChange, NewIssue, issue_not_found
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.search import Field, Scalar
from trackwire_server.stores.memory.experiments import get_experiment
from trackwire_server.stores.memory.search import search_items
from trackwire_server.stores.memory.state import MemoryState


class MemoryIssues:
    """An IssueStore."""

    def __init__(self, state: MemoryState):
        self._state = state

    async def create_issue(self, new: NewIssue) -> Issue:
        """Looks for the request before it stores anything."""
        made = self._state.issue_of_request.get(new.request_id)
        if made is not None:
            return self._state.issues[made]
        experiment = get_experiment(self._state, new.experiment_id)
        if experiment.lifecycle_stage is not LifecycleStage.ACTIVE:
            raise ExperimentDeleted(experiment.experiment_id)
        if new.issue_id in self._state.issues:
            raise AlreadyExists("issue", new.issue_id, field="issue_id")
        issue = Issue(
            issue_id=new.issue_id,
            experiment_id=new.experiment_id,
            name=new.name,
            description=new.description,
            creation_time_ms=new.creation_time_ms,
            last_update_time_ms=new.creation_time_ms,
            status=new.status,
            severity=new.severity,
            root_causes=new.root_causes,
            categories=new.categories,
            source_run_id=new.source_run_id,
            created_by=new.created_by,
            last_seen_time_ms=new.last_seen_time_ms,
            metadata=dict(new.metadata),
        )
        self._state.issues[issue.issue_id] = issue
        if new.request_id:
            self._state.issue_of_request[new.request_id] = issue.issue_id
        return issue

    async def get_issue(self, issue_id: str) -> Issue:
        """By id."""
        issue = self._state.issues.get(issue_id)
        if issue is None:
            raise issue_not_found(issue_id)
        return issue

    async def update_issue(self, issue_id: str, change: IssueChange, *, now_ms: int) -> Issue:
        """Replaces the issue."""
        issue = await self.get_issue(issue_id)
        metadata = {**issue.metadata, **change.metadata}
        for key in change.deleted_metadata:
            metadata.pop(key, None)
        asked = {
            "name": change.name,
            "description": change.description,
            "status": change.status,
            "severity": change.severity,
            "categories": change.categories,
            "last_seen_time_ms": change.last_seen_time_ms,
            "last_updated_by": change.last_updated_by,
        }
        changes = {name: value for name, value in asked.items() if value is not None}
        changed = replace(
            issue,
            metadata=metadata,
            last_update_time_ms=now_ms,
            **changes,  # type: ignore[arg-type]  # each has the type of its field
        )
        self._state.issues[issue_id] = changed
        return changed

    async def search_issues(self, query: SearchQuery) -> Page[Issue]:
        """By the language's evaluator."""
        seen = [
            issue
            for issue in self._state.issues.values()
            if not query.experiment_ids or issue.experiment_id in query.experiment_ids
        ]
        return search_items(seen, query, _ordered_by, values_of=_values)

    async def count_issues(self, query: SearchQuery) -> int:
        """By finding all of them."""
        everything = replace(query, page_size=len(self._state.issues) + 1, after=None)
        return len((await self.search_issues(everything)).items)


def _values(issue: Issue, field: Field) -> Scalar | tuple[Scalar, ...] | None:
    """What a filter compares."""
    return issue.categories if field.key == "categories" else _ordered_by(issue, field)


def _ordered_by(issue: Issue, field: Field) -> Scalar | None:
    attributes: dict[str, Scalar | None] = {
        "name": issue.name,
        "issue_id": issue.issue_id,
        "description": issue.description,
        "status": issue.status.value,
        "severity": None if issue.severity is None else issue.severity.value,
        "source_run_id": issue.source_run_id or None,
        "created_by": issue.created_by or None,
        "last_updated_by": issue.last_updated_by or None,
        "experiment_id": int(issue.experiment_id),
        "creation_timestamp": issue.creation_time_ms,
        "last_updated_timestamp": issue.last_update_time_ms,
        "last_seen_timestamp": issue.last_seen_time_ms,
    }
    return attributes[field.key]
