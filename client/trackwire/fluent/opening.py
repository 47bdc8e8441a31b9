"""How a run begins: what is said of it before it says anything itself."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from trackwire.fluent.settings import ExperimentChoice


class Opening(NamedTuple):
    """A run that is made, or joined where its id is there already."""

    run_id: str
    experiment: ExperimentChoice
    start_time_ms: int
    run_name: str = ""
    user_id: str = ""
    parent_run_id: str = ""
    rank: int | None = None
    # Whether this process says how the run ends: of the ranks of a job, only the first one does.
    is_owner: bool = True
    # Whether it is known to be there: then it is said to be running again.
    is_resumed: bool = False
    # Whether it is made where it isn't there; if not, the server refuses what is said of a run that it doesn't know.
    is_made: bool = True
    tags: Mapping[str, str] = MappingProxyType({})
