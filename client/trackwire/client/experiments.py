"""Experiments gather the runs of one question."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from trackwire.client.calls import Calls, enum_name, text_list
from trackwire.v1.experiments_pb2 import (
    CreateExperimentRequest,
    CreateExperimentResponse,
    DeleteExperimentRequest,
    DeleteExperimentResponse,
    DeleteExperimentTagRequest,
    DeleteExperimentTagResponse,
    Experiment,
    GetExperimentRequest,
    GetExperimentResponse,
    RestoreExperimentRequest,
    RestoreExperimentResponse,
    SearchExperimentsRequest,
    SearchExperimentsResponse,
    SetExperimentTagsRequest,
    SetExperimentTagsResponse,
    UpdateExperimentRequest,
    UpdateExperimentResponse,
)

ViewTypeName = Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]
VIEW_TYPES: tuple[str, ...] = ("ACTIVE_ONLY", "DELETED_ONLY", "ALL")


def view_type_name(view_type: str) -> str:
    """A view type as the proto spells it."""
    return enum_name("view_type", view_type, VIEW_TYPES, prefix="VIEW_TYPE")


class ExperimentMethods(Calls):
    """The client's methods for experiments."""

    def create_experiment(
        self, name: str, *, artifact_location: str = "", tags: Mapping[str, str] | None = None
    ) -> Experiment:
        """Creates an experiment; AlreadyExistsError if the name is taken, also by a deleted one."""
        request = CreateExperimentRequest(name=name, artifact_location=artifact_location, tags=tags)
        return self._call(request, CreateExperimentResponse, lambda response: response.experiment)

    def get_experiment(self, experiment_id: str) -> Experiment:
        """The experiment with this id, also a deleted one; NotFoundError if there is none."""
        request = GetExperimentRequest(experiment_id=experiment_id)
        return self._call(request, GetExperimentResponse, lambda response: response.experiment)

    def get_experiment_by_name(self, name: str) -> Experiment:
        """The experiment of this name, also a deleted one; NotFoundError if there is none."""
        request = GetExperimentRequest(name=name)
        return self._call(request, GetExperimentResponse, lambda response: response.experiment)

    def search_experiments(
        self,
        filter_string: str = "",
        *,
        order_by: str | Sequence[str] = (),
        view_type: ViewTypeName = "ACTIVE_ONLY",
        max_results: int | None = None,
    ) -> Iterator[Experiment]:
        """Experiments that match a filter such as `name ILIKE 'vision%' AND tags.team = 'red'`, newest first."""
        request = SearchExperimentsRequest(
            filter=filter_string, order_by=text_list("order_by", order_by), view_type=view_type_name(view_type)
        )
        return self._pages(request, SearchExperimentsResponse, lambda page: page.experiments, max_results=max_results)

    def search_experiments_page(
        self,
        filter_string: str = "",
        *,
        order_by: str | Sequence[str] = (),
        view_type: ViewTypeName = "ACTIVE_ONLY",
        page_size: int = 0,
        page_token: str = "",
        tags_required: bool = False,
    ) -> SearchExperimentsResponse:
        """One page of what `search_experiments` finds, at most 50,000 (1,000 where 0), and the token of the next.

        With `tags_required`, `tags.x != 'v'` asks for the tag to be there, as MLflow does.
        """
        request = SearchExperimentsRequest(
            filter=filter_string,
            order_by=text_list("order_by", order_by),
            view_type=view_type_name(view_type),
            page_size=page_size,
            page_token=page_token,
            tags_required=tags_required,
        )
        return self._call(request, SearchExperimentsResponse, lambda response: response)

    def rename_experiment(self, experiment_id: str, name: str) -> Experiment:
        """Renames an active experiment."""
        request = UpdateExperimentRequest(experiment_id=experiment_id, name=name)
        return self._call(request, UpdateExperimentResponse, lambda response: response.experiment)

    def set_experiment_tags(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        """Sets tags of an active experiment; the last write of a key wins."""
        return self._send(SetExperimentTagsRequest(experiment_id=experiment_id, tags=tags), SetExperimentTagsResponse)

    def set_experiment_tag(self, experiment_id: str, key: str, value: str) -> None:
        """Sets one tag of an active experiment."""
        return self.set_experiment_tags(experiment_id, {key: value})

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Deletes one tag; NotFoundError if the experiment has no such tag."""
        return self._send(DeleteExperimentTagRequest(experiment_id=experiment_id, key=key), DeleteExperimentTagResponse)

    def delete_experiment(self, experiment_id: str) -> None:
        """Marks an active experiment and all its runs as deleted."""
        return self._send(DeleteExperimentRequest(experiment_id=experiment_id), DeleteExperimentResponse)

    def restore_experiment(self, experiment_id: str) -> None:
        """Restores a deleted experiment and all its runs."""
        return self._send(RestoreExperimentRequest(experiment_id=experiment_id), RestoreExperimentResponse)
