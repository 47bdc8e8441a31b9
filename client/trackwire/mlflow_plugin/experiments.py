"""The tracking store's methods for experiments."""

from collections.abc import Sequence
from functools import partial

from mlflow.entities import Experiment, ExperimentTag, ViewType
from mlflow.store.entities.paged_list import PagedList

from trackwire.errors import NotFoundError
from trackwire.mlflow_plugin.asking import Asking, fitting, page_size, texts
from trackwire.mlflow_plugin.entities import experiment_of
from trackwire.mlflow_plugin.errors import raises_mlflow_errors
from trackwire.queries.views import view_type_name

PAGE_SIZE = 1_000


@raises_mlflow_errors
class ExperimentMethods(Asking):
    """Experiments, as mlflow's AbstractStore has them. Ids may be ints."""

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int | None = PAGE_SIZE,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """A page of the experiments that match, newest first; at most 50,000."""
        search = partial(
            self._client.search_experiments_page,
            filter_string or "",
            order_by=order_by or (),
            view_type=view_type_name("view_type", view_type),
            page_token=page_token or "",
            tags_required=True,
        )
        page = fitting(search, page_size(max_results, PAGE_SIZE))
        return PagedList([experiment_of(message) for message in page.experiments], page.next_page_token or None)

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Sequence[ExperimentTag] | None = None
    ) -> str:
        """Creates an experiment; its id."""
        created = self._client.create_experiment(name, artifact_location=artifact_location or "", tags=texts(tags))
        return created.experiment_id

    def get_experiment(self, experiment_id: str) -> Experiment:
        """The experiment with this id, also a deleted one."""
        return experiment_of(self._client.get_experiment(str(experiment_id)))

    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        """The experiment of this name, also a deleted one; None where there is none."""
        try:
            return experiment_of(self._client.get_experiment_by_name(experiment_name))
        except NotFoundError:
            return None

    def delete_experiment(self, experiment_id: str) -> None:
        """Marks an active experiment and all its runs as deleted."""
        self._client.delete_experiment(str(experiment_id))

    def restore_experiment(self, experiment_id: str) -> None:
        """Restores a deleted experiment and all its runs."""
        self._client.restore_experiment(str(experiment_id))

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Renames an active experiment."""
        self._client.rename_experiment(str(experiment_id), new_name)

    def set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        """Sets one tag of an active experiment."""
        self._client.set_experiment_tag(str(experiment_id), tag.key, str(tag.value))

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Deletes one tag."""
        self._client.delete_experiment_tag(str(experiment_id), key)
