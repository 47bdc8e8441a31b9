"""The issues of an experiment."""

from mlflow.entities import Issue

from trackwire.client import Client
from trackwire.errors import NotFoundError
from trackwire.importing.entities import issue_message, stored_as_sent
from trackwire.importing.tally import ISSUES, Tally, now_or_before
from trackwire.v1 import issues_pb2


class IssueImport:
    """Copies issues, one at a time."""

    def __init__(self, client: Client, tally: Tally) -> None:
        self._client = client
        self._tally = tally

    def take(self, issue: Issue) -> None:
        """Copies an issue."""
        message = issue_message(issue)
        before = self._issue(message.issue_id)
        taken = self._client.import_issue(message)
        if not stored_as_sent(message, taken):
            self._tally.fail(ISSUES, f"issue {message.issue_id}: it is not stored as it was sent")
        else:
            self._tally.add(ISSUES, **now_or_before(before == taken))

    def _issue(self, issue_id: str) -> issues_pb2.Issue | None:
        try:
            return self._client.get_issue(issue_id)
        except NotFoundError:
            return None
