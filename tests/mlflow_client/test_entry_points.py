"""What mlflow finds, and what of its stores we have."""

from importlib.metadata import entry_points
from inspect import signature

import pytest
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.model_registry.abstract_store import AbstractStore as AbstractRegistryStore
from mlflow.store.tracking.abstract_store import AbstractStore as AbstractTrackingStore

from trackwire.mlflow_plugin.artifact_repository import TrackwireArtifactRepository
from trackwire.mlflow_plugin.registry_store import RegistryStore
from trackwire.mlflow_plugin.tracking_store import TrackingStore

STORES = [
    (TrackingStore, AbstractTrackingStore),
    (RegistryStore, AbstractRegistryStore),
    (TrackwireArtifactRepository, ArtifactRepository),
]


def test_schemes() -> None:
    found = {
        group: {point.name for point in entry_points(group=group) if point.module == "trackwire.mlflow_plugin"}
        for group in ("mlflow.tracking_store", "mlflow.model_registry_store", "mlflow.artifact_repository")
    }
    assert found == {
        "mlflow.tracking_store": {"grpc", "grpcs"},
        "mlflow.model_registry_store": {"grpc", "grpcs"},
        "mlflow.artifact_repository": {"trackwire-artifacts", "mlflow-artifacts"},
    }


@pytest.mark.parametrize(("ours", "abstract"), STORES)
def test_all_that_mlflow_leaves_to_a_store_is_there(ours: type, abstract: type) -> None:
    left = [name for name, member in vars(abstract).items() if getattr(member, "__isabstractmethod__", False)]
    assert left
    assert [name for name in left if getattr(ours, name) is getattr(abstract, name)] == []


@pytest.mark.parametrize(("ours", "abstract"), STORES)
def test_arguments_are_called_as_mlflow_calls_them(ours: type, abstract: type) -> None:
    for name, member in vars(abstract).items():
        if callable(member) and name in dir(ours) and not name.startswith("__"):
            theirs = [*signature(member).parameters]
            assert [*signature(getattr(ours, name)).parameters][: len(theirs)] == theirs, name
