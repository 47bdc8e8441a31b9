"""What this process has chosen for the runs to come: the server that they go to, and their experiment."""

import os

from trackwire.errors import InvalidArgumentError
from trackwire.fluent.chosen_experiment import ChosenExperiment
from trackwire.fluent.settings import (
    Destination,
    ExperimentChoice,
    checked_experiment_id,
    checked_experiment_name,
    destination,
    variable,
)

_tracking_uri: str | None = None
_experiment: ExperimentChoice | None = None


def set_tracking_uri(uri: str | os.PathLike[str]) -> None:
    """The server that runs started from now on go to: `host:port` or `grpc://host:port`; "" or a folder: offline."""
    global _tracking_uri
    destination(os.fspath(uri))
    _tracking_uri = os.fspath(uri)


def get_tracking_uri() -> str:
    """Where runs go: the server's address, or `file:` and the spool's folder where there is none."""
    place = chosen_destination()
    return place.address or place.spool.as_uri()


def chosen_destination(mode: str | None = None) -> Destination:
    """Where a run goes that is started now, in this mode or in the one that the environment names."""
    return destination(_tracking_uri, mode)


def is_tracking_uri_set() -> bool:
    """Whether anybody has said where runs go: a call, or the environment."""
    return bool(_tracking_uri if _tracking_uri is not None else variable("TRACKING_URI"))


def get_registry_uri() -> str:
    """Where models are registered: on the server that runs go to."""
    return get_tracking_uri()


def set_registry_uri(uri: str) -> None:
    """Takes the server that runs go to, and no other: InvalidArgumentError."""
    if destination(uri).address != chosen_destination().address:
        raise InvalidArgumentError(
            f"registry_uri: {uri!r}: models are registered on the server of runs, {get_tracking_uri()!r}",
            metadata={"field": "registry_uri", "value": uri},
        )


def set_experiment(experiment_name: str | None = None, experiment_id: str | None = None) -> ChosenExperiment:
    """The experiment of runs started from now on; by name it is made with the first of them if there is none."""
    global _experiment
    if (experiment_name is None) == (experiment_id is None):
        raise InvalidArgumentError("set_experiment: give either an experiment_name or an experiment_id")
    if experiment_id is not None:
        _experiment = ExperimentChoice(experiment_id=checked_experiment_id("experiment_id", experiment_id))
    else:
        name = checked_experiment_name("experiment_name", experiment_name or "")
        _experiment = ExperimentChoice(name=name)
    return ChosenExperiment(_experiment)


def chosen_experiment() -> ExperimentChoice | None:
    """What `set_experiment` has said last."""
    return _experiment
