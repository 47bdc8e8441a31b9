"""The rules of experiments, on the memory store."""

from pathlib import Path

import pytest
from tests.conftest import NOW_MS, FakeClock

from trackwire_server.core.entities import ExperimentReference
from trackwire_server.core.errors import InvalidArgument, NotFound
from trackwire_server.core.experiments import Experiments
from trackwire_server.core.searching import SearchRequest
from trackwire_server.stores.memory.experiments import MemoryExperiments
from trackwire_server.stores.memory.state import MemoryState


@pytest.fixture
def experiments(memory_state: MemoryState, clock: FakeClock) -> Experiments:
    return Experiments(MemoryExperiments(memory_state), clock, working_folder=Path("/srv/work"))


async def test_life_of_an_experiment(experiments: Experiments, clock: FakeClock) -> None:
    clock.advance(1)
    made = await experiments.create("a", tags={"k": "v"}, artifact_location="s3://bucket/folder")
    assert made.creation_time_ms == NOW_MS + 1
    clock.advance(5)
    renamed = await experiments.update(made.experiment_id, name="b")
    assert (renamed.name, renamed.last_update_time_ms) == ("b", NOW_MS + 6)
    assert await experiments.update(made.experiment_id, name=None) == renamed
    await experiments.set_tags(made.experiment_id, {"l": "w"})
    await experiments.delete_tag(made.experiment_id, "k")
    assert (await experiments.get_by_name("b")).tags == {"l": "w"}
    await experiments.delete(made.experiment_id)
    found, _ = await experiments.search(SearchRequest())
    assert [experiment.name for experiment in found] == ["Default"]
    await experiments.restore(made.experiment_id)
    found, token = await experiments.search(SearchRequest(page_size=1))
    assert [experiment.name for experiment in found] == ["b"]
    found, _ = await experiments.search(SearchRequest(page_size=1, page_token=token))
    assert [experiment.name for experiment in found] == ["Default"]


@pytest.mark.parametrize(
    ("name", "location", "field"),
    [
        ("", "", "name"),
        ("n" * 501, "", "name"),
        ("a\0b", "", "name"),
        ("a", "/", "artifact_location"),
        ("a", " ", "artifact_location"),
        ("a", "../beside", "artifact_location"),
        ("a", "/data/../etc", "artifact_location"),
        ("a", "//host/share", "artifact_location"),
        ("a", "/data/a#b", "artifact_location"),
        ("a", "/data/%2e%2e/etc", "artifact_location"),
        ("a", "/data/a\nb", "artifact_location"),
        ("a", "C:/folder", "artifact_location"),
        ("a", "file:///", "artifact_location"),
        ("a", "file:///data/%2e%2e/etc", "artifact_location"),
        ("a", "file:///data/%252e%252e/etc", "artifact_location"),
        ("a", "file:///data/a\nb", "artifact_location"),
        ("a", "file://host/data", "artifact_location"),
        ("a", "file:///data?version=1", "artifact_location"),
        ("a", "f" * 2_045, "artifact_location"),
        ("a", "C:\\folder", "artifact_location"),
        ("a", "s3://" + "b" * 2_048, "artifact_location"),
        ("a", "trackwire-artifacts:/7", "artifact_location"),
        ("a", "Trackwire-Artifacts:/7", "artifact_location"),
    ],
)
async def test_bad_new_experiment_is_refused_by_field(
    experiments: Experiments, name: str, location: str, field: str
) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await experiments.create(name, artifact_location=location)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("/data/a b", "/data/a b"),
        ("mlruns", "/srv/work/mlruns"),
        ("./mlruns/", "/srv/work/mlruns"),
        (".", "/srv/work"),
        ("file:mlruns/a%20b", "file:///srv/work/mlruns/a%20b"),
        ("file:///data/a%23b", "file:///data/a%23b"),
        ("file://localhost/data", "file://localhost/data"),
        ("gs://bucket/folder", "gs://bucket/folder"),
        ("dbfs:/folder", "dbfs:/folder"),
    ],
)
async def test_relative_location_begins_where_the_server_was_started(
    experiments: Experiments, location: str, kept: str
) -> None:
    assert (await experiments.create("a", artifact_location=location)).artifact_location == kept


@pytest.mark.parametrize("experiment_id", ["", "a", "-1", "01", "1.0", "9" * 19, "१"])
async def test_id_that_is_no_decimal_number_is_refused(experiments: Experiments, experiment_id: str) -> None:
    for call in (
        experiments.get(experiment_id),
        experiments.update(experiment_id, name="a"),
        experiments.set_tags(experiment_id, {"a": "b"}),
        experiments.delete_tag(experiment_id, "a"),
        experiments.delete(experiment_id),
        experiments.restore(experiment_id),
    ):
        with pytest.raises(InvalidArgument) as raised:
            await call
        assert raised.value.field == "experiment_id"


async def test_experiment_is_found_by_id_or_by_name(experiments: Experiments) -> None:
    assert (await experiments.find(ExperimentReference("0"))).name == "Default"
    assert (await experiments.find(ExperimentReference(name="Default"))).experiment_id == "0"
    with pytest.raises(NotFound):
        await experiments.find(ExperimentReference(name="none"))
    with pytest.raises(InvalidArgument):
        await experiments.find(ExperimentReference())
