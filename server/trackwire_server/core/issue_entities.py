"""Issues as plain values, and what is said when there is none of that id."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from trackwire_server.core.errors import NotFound


class IssueStatus(StrEnum):
    """What became of an issue."""

    PENDING = "PENDING"
    REJECTED = "REJECTED"
    RESOLVED = "RESOLVED"


class IssueSeverity(IntEnum):
    """How bad an issue is, from the least on; numbered as the search language ranks them."""

    NOT_AN_ISSUE = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4


@dataclass(frozen=True, slots=True)
class Issue:
    """A problem that was found in an experiment."""

    issue_id: str
    experiment_id: str
    name: str
    description: str
    creation_time_ms: int
    last_update_time_ms: int
    status: IssueStatus = IssueStatus.PENDING
    severity: IssueSeverity | None = None
    root_causes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    source_run_id: str = ""
    created_by: str = ""
    last_updated_by: str = ""
    last_seen_time_ms: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewIssue:
    """What is needed to make an issue."""

    issue_id: str
    experiment_id: str
    name: str
    description: str
    creation_time_ms: int
    request_id: str = ""
    status: IssueStatus = IssueStatus.PENDING
    severity: IssueSeverity | None = None
    root_causes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    source_run_id: str = ""
    created_by: str = ""
    last_seen_time_ms: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IssueChange:
    """What is to change of an issue; None leaves as it is. Metadata to delete may be missing."""

    name: str | None = None
    description: str | None = None
    status: IssueStatus | None = None
    severity: IssueSeverity | None = None
    categories: tuple[str, ...] | None = None
    last_seen_time_ms: int | None = None
    last_updated_by: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    deleted_metadata: tuple[str, ...] = ()


def issue_not_found(issue_id: str) -> NotFound:
    """No issue has this id."""
    return NotFound("issue", issue_id, field="issue_id")
