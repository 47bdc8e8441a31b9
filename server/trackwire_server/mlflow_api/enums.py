"""Enums on MLflow's wire: by name, or also by number, as protobuf has them."""

from collections.abc import Mapping
from typing import TypeVar

from trackwire_server.core.errors import InvalidArgument

Member = TypeVar("Member")


def member_named(field: str, said: str | int, members: Mapping[str, Member]) -> Member:
    """What a name means. Raises InvalidArgument."""
    if said not in members:
        raise InvalidArgument(field, said, f"must be one of {', '.join(members)}")
    return members[str(said)]


def member_of(field: str, said: str | int, members: Mapping[str, Member]) -> Member:
    """What a name or a number means; the members are numbered from 1. Raises InvalidArgument."""
    numbered = {str(number): member for number, member in enumerate(members.values(), 1)}
    return numbered[str(said)] if str(said) in numbered else member_named(field, said, members)
