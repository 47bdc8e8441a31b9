"""What MLflow's searches have in common."""

from trackwire_server.core.entities import ViewType
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.mlflow_api.enums import member_of

_VIEW_TYPES = {
    "ACTIVE_ONLY": ViewType.ACTIVE_ONLY,
    "DELETED_ONLY": ViewType.DELETED_ONLY,
    "ALL": ViewType.ALL,
}


def view_type(field: str, said: str | int) -> ViewType:
    """Which runs or experiments a search looks at; the active ones where that isn't said. Raises InvalidArgument."""
    return ViewType.ACTIVE_ONLY if said in ("", 0) else member_of(field, said, _VIEW_TYPES)


def check_max_results(max_results: int, limit: int) -> int:
    """At least one; MLflow has no default where none is said. Raises InvalidArgument."""
    if not 1 <= max_results <= limit:
        raise InvalidArgument("max_results", max_results, f"must be from 1 to {limit:,}", limit=limit)
    return max_results
