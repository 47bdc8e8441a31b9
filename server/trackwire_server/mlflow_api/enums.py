"""Enums on MLflow's wire: by name, or by number, as protobuf has them."""

from collections.abc import Mapping
from typing import TypeVar

from trackwire_server.core.errors import InvalidArgument

Member = TypeVar("Member")


def member_of(field: str, said: str | int, members: Mapping[str, Member]) -> Member:
    """What a field means; the members are numbered from 1. Raises InvalidArgument."""
    numbered = {str(number): member for number, member in enumerate(members.values(), 1)}
    found = {**members, **numbered}.get(str(said))
    if found is None:
        raise InvalidArgument(field, said, f"must be one of {', '.join(members)}")
    return found
