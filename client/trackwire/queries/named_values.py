"""Words that MLflow gives numbers or constants to."""

from collections.abc import Mapping

from trackwire.errors import InvalidArgumentError


class ViewType:
    """Which lifecycle stages a search looks at."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3

    @classmethod
    def from_string(cls, view_str: str) -> int:
        """The number of "active_only", "deleted_only" or "all"."""
        return _number("view_str", view_str.upper(), _VIEW_TYPES)

    @classmethod
    def to_string(cls, view_type: int) -> str:
        """The word for a number."""
        return _word("view_type", view_type, _VIEW_TYPES).lower()


class RunStatus:
    """How far a run has come."""

    RUNNING = 1
    SCHEDULED = 2
    FINISHED = 3
    FAILED = 4
    KILLED = 5

    @staticmethod
    def from_string(status_str: str) -> int:
        """The number of a word such as "FINISHED"."""
        return _number("status_str", status_str, _RUN_STATUSES)

    @staticmethod
    def to_string(status: int) -> str:
        """The word for a number, as `run.info.status` has it."""
        return _word("status", status, _RUN_STATUSES)

    @staticmethod
    def is_terminated(status: int) -> bool:
        """Whether a run of this status is over."""
        return status in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)

    @staticmethod
    def all_status() -> list[int]:
        """Every number."""
        return list(_RUN_STATUSES.values())


class LifecycleStage:
    """Whether something was deleted."""

    ACTIVE = "active"
    DELETED = "deleted"


_VIEW_TYPES = {
    "ACTIVE_ONLY": ViewType.ACTIVE_ONLY,
    "DELETED_ONLY": ViewType.DELETED_ONLY,
    "ALL": ViewType.ALL,
}
_RUN_STATUSES = {
    "RUNNING": RunStatus.RUNNING,
    "SCHEDULED": RunStatus.SCHEDULED,
    "FINISHED": RunStatus.FINISHED,
    "FAILED": RunStatus.FAILED,
    "KILLED": RunStatus.KILLED,
}


def _number(field: str, word: str, numbers: Mapping[str, int]) -> int:
    if word not in numbers:
        raise InvalidArgumentError(f"{field}: {word!r}: must be one of {', '.join(numbers)}", metadata={"field": field})
    return numbers[word]


def _word(field: str, number: int, numbers: Mapping[str, int]) -> str:
    for word, each in numbers.items():
        if each == number:
            return word
    allowed = ", ".join(f"{each} ({word})" for word, each in numbers.items())
    raise InvalidArgumentError(f"{field}: {number!r}: must be one of {allowed}", metadata={"field": field})
