"""The tracking store's methods for issues, with what newer versions of mlflow than the oldest supported one ask for."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from mlflow.entities import Issue
from mlflow.entities.issue import IssueSeverity, IssueStatus
from mlflow.store.entities.paged_list import PagedList

from trackwire.mlflow_plugin.asking import Asking, fitting, page_size
from trackwire.mlflow_plugin.entities import issue_of
from trackwire.mlflow_plugin.errors import raises_mlflow_errors

if TYPE_CHECKING:
    from trackwire.client.issues import IssueChanges, IssueOptions, IssueSeverityName, IssueStatusName

PAGE_SIZE = 100


@raises_mlflow_errors
class IssueMethods(Asking):
    """Issues, as mlflow's AbstractStore has them."""

    def create_issue(
        self,
        experiment_id: str,
        name: str,
        description: str,
        status: IssueStatus = IssueStatus.PENDING,
        severity: IssueSeverity | None = None,
        root_causes: Sequence[str] | None = None,
        source_run_id: str | None = None,
        categories: Sequence[str] | None = None,
        created_by: str | None = None,
        *,
        issue_id: str | None = None,
        last_seen_timestamp: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Issue:
        """Makes an issue; a retry makes no second one."""
        options: IssueOptions = {
            "status": cast("IssueStatusName", str(status)),
            "root_causes": root_causes or (),
            "source_run_id": source_run_id or "",
            "categories": _names(categories),
            "created_by": created_by or "",
            "issue_id": issue_id or "",
            "metadata": metadata or {},
        }
        if severity is not None:
            options["severity"] = cast("IssueSeverityName", str(severity))
        if last_seen_timestamp is not None:
            options["last_seen_time_ms"] = last_seen_timestamp
        return issue_of(self._client.create_issue(str(experiment_id), name, description, **options))

    def get_issue(self, issue_id: str) -> Issue:
        """An issue."""
        return issue_of(self._client.get_issue(issue_id))

    def update_issue(
        self,
        issue_id: str,
        status: IssueStatus | None = None,
        name: str | None = None,
        description: str | None = None,
        severity: IssueSeverity | None = None,
        *,
        categories: Sequence[str] | None = None,
        last_seen_timestamp: int | None = None,
        last_updated_by: str | None = None,
        metadata: Mapping[str, str] | None = None,
        delete_metadata_keys: Sequence[str] | None = None,
    ) -> Issue:
        """Changes what is known of an issue; what is empty stays as it is, as by mlflow's server."""
        changes: IssueChanges = {"metadata": metadata or {}, "deleted_metadata_keys": delete_metadata_keys or ()}
        if status is not None:
            changes["status"] = cast("IssueStatusName", str(status))
        if name:
            changes["name"] = name
        if description:
            changes["description"] = description
        if severity is not None:
            changes["severity"] = cast("IssueSeverityName", str(severity))
        if categories:
            changes["categories"] = _names(categories)
        if last_seen_timestamp is not None:
            changes["last_seen_time_ms"] = last_seen_timestamp
        if last_updated_by:
            changes["last_updated_by"] = last_updated_by
        return issue_of(self._client.update_issue(issue_id, **changes))

    def search_issues(
        self,
        experiment_id: str | None = None,
        filter_string: str | None = None,
        max_results: int | None = None,
        page_token: str | None = None,
        include_trace_count: bool = False,
        *,
        name: str | None = None,
        statuses: Sequence[str] | None = None,
        severities: Sequence[str] | None = None,
        categories: Sequence[str] | None = None,
        order_by: Sequence[str] | None = None,
        include_total_count: bool = False,
        view: str | None = None,
    ) -> PagedList[Issue]:
        """A page of the issues that match, the worst first; of all experiments without one. No trace belongs to any."""
        asked = _filter(
            filter_string or "",
            name=name or "",
            statuses=_names(statuses),
            severities=_names(severities),
            categories=_names(categories),
        )
        search = partial(
            self._client.search_issues_page,
            [str(experiment_id)] if experiment_id else [],
            asked,
            order_by=order_by or (),
            page_token=page_token or "",
            include_total_count=include_total_count,
        )
        page = fitting(search, page_size(max_results, PAGE_SIZE))
        issues = [issue_of(message) for message in page.issues]
        for issue in issues if include_trace_count else ():
            issue.trace_count = 0
        found = PagedList(issues, page.next_page_token or None)
        if include_total_count:
            found.total_count = page.total_count  # type: ignore[attr-defined]  # older versions have no field for it
        return found


def _names(members: Sequence[str] | None) -> list[str]:
    """Texts, of which some may be members of mlflow's enums."""
    return [str(member) for member in members or ()]


def _filter(
    filter_string: str,
    *,
    name: str = "",
    statuses: Sequence[str] = (),
    severities: Sequence[str] = (),
    categories: Sequence[str] = (),
) -> str:
    """A filter of issues with all that is asked beside it: a part of the name, and lists of which one must be so."""
    conditions = [
        f"({filter_string})" if filter_string.strip() else "",
        f"name ILIKE {_text(f'%{name}%')}" if name else "",
        f"status IN ({', '.join(map(_text, statuses))})" if statuses else "",
        f"severity IN ({', '.join(map(_text, severities))})" if severities else "",
        f"({' OR '.join(f'categories ILIKE {_text(each)}' for each in categories)})" if categories else "",
    ]
    asked = [condition for condition in conditions if condition]
    return " AND ".join(asked) if len(asked) > 1 else filter_string or "".join(asked)


def _text(value: str) -> str:
    return "'" + str(value).replace("'", "''") + "'"
