"""The view types of searches, as callers spell them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from trackwire.errors import InvalidArgumentError
from trackwire.queries.named_values import ViewType

if TYPE_CHECKING:
    from trackwire.client.experiments import ViewTypeName

_NAMES: Mapping[object, str] = {
    ViewType.ACTIVE_ONLY: "ACTIVE_ONLY",
    ViewType.DELETED_ONLY: "DELETED_ONLY",
    ViewType.ALL: "ALL",
}


def view_type_name(field: str, view_type: int | str) -> "ViewTypeName":
    """ViewType.ALL or "ALL", in any case, as the client spells it."""
    for number, name in _NAMES.items():
        if view_type == number or (isinstance(view_type, str) and view_type.upper() == name):
            return cast("ViewTypeName", name)
    allowed = ", ".join(f"ViewType.{name} ({number})" for number, name in _NAMES.items())
    raise InvalidArgumentError(
        f"{field}: {view_type!r}: must be one of {allowed}", metadata={"field": field, "value": str(view_type)}
    )
