"""Experiments gather the runs of one question."""

from collections.abc import Mapping, Sequence

from trackwire.mlflow_client.asking import Asking, page_size, texts
from trackwire.queries.convert import experiment_of
from trackwire.queries.entities import Experiment, PagedList
from trackwire.queries.experiments import find_experiment
from trackwire.queries.named_values import ViewType
from trackwire.queries.views import view_type_name


class ExperimentMethods(Asking):
    """The methods for experiments."""

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Mapping[str, object] | None = None
    ) -> str:
        """Creates an experiment; its id. AlreadyExistsError if the name is taken, also by a deleted one."""
        client = self._client("create_experiment")
        return client.create_experiment(name, artifact_location=artifact_location or "", tags=texts(tags)).experiment_id

    def get_experiment(self, experiment_id: str) -> Experiment:
        """The experiment with this id, also a deleted one; NotFoundError if there is none."""
        return experiment_of(self._client("get_experiment").get_experiment(str(experiment_id)))

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """The experiment of this name, also a deleted one; None if there is none."""
        return find_experiment(self._client("get_experiment_by_name"), name)

    def search_experiments(
        self,
        view_type: int | str = ViewType.ACTIVE_ONLY,
        max_results: int | None = 1_000,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """A page of the experiments that match, newest first."""
        page = self._client("search_experiments").search_experiments_page(
            filter_string or "",
            order_by=order_by or (),
            view_type=view_type_name("view_type", view_type),
            page_size=page_size(1_000 if max_results is None else max_results),
            page_token=page_token or "",
        )
        return PagedList(map(experiment_of, page.experiments), page.next_page_token or None)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Renames an active experiment."""
        self._client("rename_experiment").rename_experiment(str(experiment_id), new_name)

    def delete_experiment(self, experiment_id: str) -> None:
        """Marks an active experiment and all its runs as deleted."""
        self._client("delete_experiment").delete_experiment(str(experiment_id))

    def restore_experiment(self, experiment_id: str) -> None:
        """Restores a deleted experiment and all its runs."""
        self._client("restore_experiment").restore_experiment(str(experiment_id))

    def set_experiment_tag(self, experiment_id: str, key: str, value: object) -> None:
        """Sets one tag, as `str()` gives it."""
        self._client("set_experiment_tag").set_experiment_tag(str(experiment_id), key, str(value))

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Deletes one tag; NotFoundError if the experiment has no such tag."""
        self._client("delete_experiment_tag").delete_experiment_tag(str(experiment_id), key)
