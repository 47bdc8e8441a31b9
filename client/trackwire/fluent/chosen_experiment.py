"""What `set_experiment` gives: MLflow's scripts read an id and more of it, which only a server knows."""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from trackwire.fluent.settings import ExperimentChoice

if TYPE_CHECKING:
    from trackwire.queries.entities import Experiment


class ChosenExperiment:
    """An experiment that runs are started in. What it was not told, it asks the server for when it is read.

    By name the experiment is made then, if no run has made it yet. Times are Unix milliseconds.
    """

    __slots__ = ("_choice",)

    def __init__(self, choice: ExperimentChoice) -> None:
        self._choice = choice

    @property
    def experiment_id(self) -> str:
        """Its id."""
        return self._choice.experiment_id or self._stored().experiment_id

    @property
    def name(self) -> str:
        """Its name."""
        return self._choice.name or self._stored().name

    @property
    def artifact_location(self) -> str:
        """Where its artifacts lie."""
        return self._stored().artifact_location

    @property
    def lifecycle_stage(self) -> str:
        """ "active" or "deleted"."""
        return self._stored().lifecycle_stage

    @property
    def tags(self) -> Mapping[str, str]:
        """Its tags as they are now."""
        return self._stored().tags

    @property
    def creation_time(self) -> int:
        """When it was made."""
        return self._stored().creation_time

    @property
    def last_update_time(self) -> int:
        """When it was last changed."""
        return self._stored().last_update_time

    def __repr__(self) -> str:
        return f"<trackwire.ChosenExperiment {self._choice.name or self._choice.experiment_id!r}>"

    def _stored(self) -> "Experiment":
        # By name: what only logs knows nothing of clients.
        experiments = importlib.import_module("trackwire.queries.experiments")
        found: Experiment = experiments.experiment_of_choice(self._choice)
        return found
