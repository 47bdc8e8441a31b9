"""The messages and values of what runs are given and make, each way."""

from trackwire.v1 import run_inputs_pb2 as pb
from trackwire.v1 import runs_pb2
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.run_inputs import (
    Dataset,
    DatasetInput,
    DatasetSummary,
    DatasetView,
    ModelOutput,
    RunInputs,
    RunOutputs,
)

_VIEW_FROM_PROTO = {
    pb.DATASET_VIEW_UNSPECIFIED: DatasetView.BASIC,
    pb.DATASET_VIEW_BASIC: DatasetView.BASIC,
    pb.DATASET_VIEW_FULL: DatasetView.FULL,
    pb.DATASET_VIEW_NONE: DatasetView.NONE,
}


def dataset_view_from_proto(view: pb.DatasetView) -> DatasetView:
    """How much of datasets; BASIC where unspecified. Raises InvalidArgument."""
    if view not in _VIEW_FROM_PROTO:
        raise InvalidArgument("dataset_view", view, f"is no view; there are {', '.join(pb.DatasetView.keys())}")
    return _VIEW_FROM_PROTO[view]


def inputs_from_proto(request: runs_pb2.LogRunInputsRequest | pb.RunInputs) -> RunInputs:
    """What a run was given."""
    return RunInputs(
        tuple(DatasetInput(_dataset_from_proto(each.dataset), dict(each.tags)) for each in request.datasets),
        tuple(each.model_id for each in request.models),
    )


def outputs_from_proto(request: runs_pb2.LogRunOutputsRequest | pb.RunOutputs) -> RunOutputs:
    """What a run has made."""
    return RunOutputs(tuple(ModelOutput(each.model_id, each.step) for each in request.models))


def fill_inputs(message: runs_pb2.Run, inputs: RunInputs, outputs: RunOutputs) -> None:
    """Writes inputs and outputs into a run's message; what is empty stays absent."""
    for each in inputs.datasets:
        added = message.inputs.datasets.add(tags=each.tags)
        _fill_dataset(added.dataset, each.dataset)
    for model_id in inputs.model_ids:
        message.inputs.models.add(model_id=model_id)
    for made in outputs.models:
        message.outputs.models.add(model_id=made.model_id, step=made.step)


def summary_to_proto(summary: DatasetSummary) -> pb.DatasetSummary:
    """A dataset as runs of an experiment were given it."""
    return pb.DatasetSummary(
        experiment_id=summary.experiment_id, name=summary.name, digest=summary.digest, context=summary.context
    )


def _dataset_from_proto(message: pb.Dataset) -> Dataset:
    return Dataset(
        name=message.name,
        digest=message.digest,
        source_type=message.source_type,
        source=message.source,
        schema=message.schema,
        profile=message.profile,
    )


def _fill_dataset(message: pb.Dataset, dataset: Dataset) -> None:
    message.name = dataset.name
    message.digest = dataset.digest
    message.source_type = dataset.source_type
    message.source = dataset.source
    message.schema = dataset.schema
    message.profile = dataset.profile
