"""What core asks of a store of issues, by the rules of stores.py: every method is one transaction."""

from typing import Protocol

from trackwire_server.core.issue_entities import Issue, IssueChange, NewIssue
from trackwire_server.core.paging import Page, SearchQuery


class IssueStore(Protocol):
    """Issues. Get and update raise NotFound."""

    async def create_issue(self, new: NewIssue) -> Issue:
        """Stores an issue; the same `request_id` again answers with the issue it made.

        Raises NotFound (experiment), ExperimentDeleted, AlreadyExists (issue id).
        """

    async def get_issue(self, issue_id: str) -> Issue:
        """The issue."""

    async def update_issue(self, issue_id: str, change: IssueChange, *, now_ms: int) -> Issue:
        """Changes an issue."""

    async def search_issues(self, query: SearchQuery) -> Page[Issue]:
        """The issues of the query's experiments, of all where it names none, that match, in order."""

    async def count_issues(self, query: SearchQuery) -> int:
        """How many there are of these, on all pages."""
