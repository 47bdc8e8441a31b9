"""The rules of artifacts, over the memory stores."""

from dataclasses import replace

import pytest
from tests.conftest import FakeClock
from tests.core.files_of_runs import RUN

from trackwire_server.core.artifact_owners import RunOwners
from trackwire_server.core.artifact_places import OWN_SCHEME, ByteStores, own_store
from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.entities import LifecycleStage
from trackwire_server.stores.memory.artifacts import MemoryBytes, MemoryUploads
from trackwire_server.stores.memory.runs import MemoryRuns
from trackwire_server.stores.memory.state import MemoryState


@pytest.fixture
def artifacts(memory_state: MemoryState, clock: FakeClock) -> Artifacts:
    """Of three runs: run1, one that is deleted, and one whose artifacts lie far away."""
    memory_state.runs["run1"] = RUN
    memory_state.runs["deleted"] = replace(RUN, run_id="deleted", lifecycle_stage=LifecycleStage.DELETED)
    memory_state.runs["far"] = replace(RUN, run_id="far", artifact_uri="s3://bucket/0/far/artifacts")
    stores = ByteStores({OWN_SCHEME: own_store(MemoryBytes(clock))})
    return Artifacts(RunOwners(MemoryRuns(memory_state)), MemoryUploads(memory_state), stores, clock)
