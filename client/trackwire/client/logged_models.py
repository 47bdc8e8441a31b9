"""Logged models: what trainings made, each with its params, tags, metrics and files."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from trackwire.client.calls import Calls, enum_name, text_list
from trackwire.client.downloads import read_artifact
from trackwire.client.folders import download_artifact, upload_folder
from trackwire.client.sources import FileSource
from trackwire.client.transfers import upload
from trackwire.local_files import LocalPath, as_artifact_path
from trackwire.v1 import logged_models_pb2 as pb
from trackwire.v1.artifacts_pb2 import (
    Artifact,
    DeleteArtifactRequest,
    DeleteArtifactResponse,
    DownloadArtifactRequest,
    ListArtifactsRequest,
    ListArtifactsResponse,
)
from trackwire.v1.logged_models_pb2 import LoggedModel, MetricDataset, SearchLoggedModelsResponse

LoggedModelStatusName = Literal["PENDING", "READY", "UPLOAD_FAILED"]
LOGGED_MODEL_STATUSES: tuple[str, ...] = ("PENDING", "READY", "UPLOAD_FAILED")


class LoggedModelOptions(TypedDict, total=False):
    """What a new logged model may say of itself; the server fills in the rest."""

    name: str  # For people; generated where missing.
    model_type: str  # What kind of model it is, such as "agent".
    source_run_id: str  # The run that makes it.
    status: LoggedModelStatusName  # PENDING where missing.
    params: Mapping[str, str]
    tags: Mapping[str, str]
    request_id: str  # Makes the caller's own retry safe; generated where missing.


class LoggedModelSearchOptions(TypedDict, total=False):
    """What a search for logged models may say beside its filter."""

    datasets: Sequence[MetricDataset]  # Only models, and series, of one of these.
    order_by: str | Sequence[str]  # Clauses such as "metrics.accuracy DESC"; newest first where missing.
    order_by_datasets: Mapping[int, MetricDataset]  # By a clause's place: only series of this dataset count there.


def logged_model_status_name(status: str) -> str:
    """A logged model's status as the proto spells it."""
    return enum_name("status", status, LOGGED_MODEL_STATUSES, prefix="LOGGED_MODEL_STATUS")


class LoggedModelMethods(Calls):
    """The client's methods for logged models."""

    def create_logged_model(self, experiment_id: str, **options: Unpack[LoggedModelOptions]) -> LoggedModel:
        """Makes a logged model in an experiment; safe to be sent again by the channel."""
        status = options.pop("status", None)
        request = pb.CreateLoggedModelRequest(
            experiment_id=experiment_id, status=logged_model_status_name(status) if status else None
        )
        request.MergeFrom(pb.CreateLoggedModelRequest(**options))
        request.request_id = request.request_id or uuid.uuid4().hex
        return self._call(request, pb.CreateLoggedModelResponse, lambda response: response.logged_model)

    def get_logged_model(self, model_id: str) -> LoggedModel:
        """A logged model with its params, tags and metrics; NotFoundError if it is deleted."""
        request = pb.GetLoggedModelRequest(model_id=model_id)
        return self._call(request, pb.GetLoggedModelResponse, lambda response: response.logged_model)

    def search_logged_models(
        self,
        experiment_ids: str | Sequence[str],
        filter_string: str = "",
        *,
        max_results: int | None = None,
        **options: Unpack[LoggedModelSearchOptions],
    ) -> Iterator[LoggedModel]:
        """Logged models that match a filter such as `metrics.accuracy > 0.9`, newest first."""
        request = _search_request(experiment_ids, filter_string, options)
        return self._pages(
            request, SearchLoggedModelsResponse, lambda page: page.logged_models, max_results=max_results
        )

    def search_logged_models_page(
        self,
        experiment_ids: str | Sequence[str],
        filter_string: str = "",
        *,
        page_size: int = 0,
        page_token: str = "",
        tags_required: bool = False,
        **options: Unpack[LoggedModelSearchOptions],
    ) -> SearchLoggedModelsResponse:
        """One page of what `search_logged_models` finds, at most 50,000 (100 where 0), and the next one's token.

        With `tags_required`, `tags.x != 'v'` asks for the tag to be there, as MLflow does.
        """
        request = _search_request(experiment_ids, filter_string, options)
        page = pb.SearchLoggedModelsRequest(page_size=page_size, page_token=page_token, tags_required=tags_required)
        request.MergeFrom(page)
        return self._call(request, SearchLoggedModelsResponse, lambda response: response)

    def update_logged_model(
        self, model_id: str, *, status: LoggedModelStatusName | None = None, status_message: str | None = None
    ) -> LoggedModel:
        """Changes how far a logged model has come; what is None stays as it is."""
        request = pb.UpdateLoggedModelRequest(
            model_id=model_id,
            status=logged_model_status_name(status) if status else None,
            status_message=status_message,
        )
        return self._call(request, pb.UpdateLoggedModelResponse, lambda response: response.logged_model)

    def delete_logged_model(self, model_id: str) -> None:
        """Marks a logged model as deleted: the next garbage collection removes it with its files."""
        return self._send(pb.DeleteLoggedModelRequest(model_id=model_id), pb.DeleteLoggedModelResponse)

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, str]) -> None:
        """Sets tags of a logged model; the last write of a key wins."""
        return self._send(pb.SetLoggedModelTagsRequest(model_id=model_id, tags=tags), pb.SetLoggedModelTagsResponse)

    def set_logged_model_tag(self, model_id: str, key: str, value: str) -> None:
        """Sets one tag of a logged model."""
        return self.set_logged_model_tags(model_id, {key: value})

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Deletes one tag of a logged model; NotFoundError if it has no such tag."""
        request = pb.DeleteLoggedModelTagRequest(model_id=model_id, key=key)
        return self._send(request, pb.DeleteLoggedModelTagResponse)

    def log_logged_model_params(self, model_id: str, params: Mapping[str, str]) -> None:
        """Logs params of a logged model, all or none; FailedPreconditionError if one has another value already."""
        request = pb.LogLoggedModelParamsRequest(model_id=model_id, params=params)
        return self._send(request, pb.LogLoggedModelParamsResponse)

    def list_logged_model_artifacts(
        self, model_id: str, path: str = "", *, max_results: int | None = None
    ) -> Iterator[Artifact]:
        """The entries right below a folder of a logged model, by path; none where there is no folder."""
        request = ListArtifactsRequest(model_id=model_id, path=path)
        return self._pages(request, ListArtifactsResponse, lambda page: page.artifacts, max_results=max_results)

    def upload_logged_model_artifact(
        self, model_id: str, local_path: LocalPath, artifact_path: str | None = None
    ) -> Artifact:
        """Stores a file of a logged model, by default under its own name; a file that is there is replaced."""
        path = artifact_path if artifact_path is not None else as_artifact_path(Path(local_path).name)
        return self._run(upload(self._transport, FileSource(Path(local_path)), path=path, model_id=model_id))

    def upload_logged_model_folder(
        self, model_id: str, local_path: LocalPath, artifact_path: str = ""
    ) -> list[Artifact]:
        """Stores all files below a folder, at the same paths below `artifact_path`, as `upload_folder` does."""
        return self._run(upload_folder(self._transport, Path(local_path), path=artifact_path, model_id=model_id))

    def download_logged_model_artifact(self, model_id: str, path: str, local_path: LocalPath) -> Path:
        """Fetches a file, or all of a folder (all that there is where `path` is empty), as `download_artifact` does."""
        return self._run(download_artifact(self._transport, path, local_path, model_id=model_id))

    def read_logged_model_artifact(self, model_id: str, path: str, *, offset: int = 0, length: int = 0) -> bytes:
        """A file's bytes: `length` of them at most, or all that follow `offset` where it is 0."""
        request = DownloadArtifactRequest(model_id=model_id, path=path, offset=offset, length=length)
        return self._run(read_artifact(self._transport, request))

    def delete_logged_model_artifact(self, model_id: str, path: str) -> None:
        """Deletes a file of a logged model, or a folder with all in it; NotFoundError if there is neither."""
        return self._send(DeleteArtifactRequest(model_id=model_id, path=path), DeleteArtifactResponse)


def _search_request(
    experiment_ids: str | Sequence[str], filter_string: str, options: LoggedModelSearchOptions
) -> pb.SearchLoggedModelsRequest:
    return pb.SearchLoggedModelsRequest(
        experiment_ids=text_list("experiment_ids", experiment_ids),
        filter=filter_string,
        datasets=options.get("datasets", ()),
        order_by=text_list("order_by", options.get("order_by", ())),
        order_by_datasets=options.get("order_by_datasets"),
    )
