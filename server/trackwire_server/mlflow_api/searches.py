"""What MLflow's searches have in common."""

from trackwire_server.core.entities import ViewType
from trackwire_server.core.errors import InvalidArgument

_VIEW_TYPES = {
    "ACTIVE_ONLY": ViewType.ACTIVE_ONLY,
    "DELETED_ONLY": ViewType.DELETED_ONLY,
    "ALL": ViewType.ALL,
}
# Enums may be numbers, as protobuf has them.
_BY_NUMBER = dict(enumerate(_VIEW_TYPES, 1))


def view_type(said: str | int, default: ViewType) -> ViewType:
    """By name or by number. Raises InvalidArgument."""
    if said in ("", 0):
        return default
    name = _BY_NUMBER.get(int(said)) if str(said).isdigit() else str(said).upper()
    if name not in _VIEW_TYPES:
        raise InvalidArgument("view_type", said, f"must be one of {', '.join(_VIEW_TYPES)}")
    return _VIEW_TYPES[name]


def check_max_results(max_results: int, limit: int) -> int:
    """At least one; MLflow has no default where none is said. Raises InvalidArgument."""
    if not 1 <= max_results <= limit:
        raise InvalidArgument("max_results", max_results, f"must be from 1 to {limit:,}", limit=limit)
    return max_results
