"""What runs were given and have made: from messages to entities, and back."""

from collections.abc import Iterable

from trackwire.queries.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    RunInputs,
    RunOutputs,
)
from trackwire.v1 import run_inputs_pb2, runs_pb2


def inputs_of(message: runs_pb2.Run) -> RunInputs:
    """What a run was given, in the order in which it was logged."""
    given = message.inputs
    return RunInputs(
        [_dataset_input_of(each) for each in given.datasets],
        [LoggedModelInput(each.model_id) for each in given.models],
    )


def outputs_of(message: runs_pb2.Run) -> RunOutputs:
    """What a run has made, in the order in which it was logged."""
    return RunOutputs([LoggedModelOutput(each.model_id, each.step) for each in message.outputs.models])


def dataset_inputs_to_proto(inputs: Iterable[DatasetInput]) -> list[run_inputs_pb2.DatasetInput]:
    """Datasets as a request has them."""
    return [
        run_inputs_pb2.DatasetInput(
            dataset=_dataset_to_proto(each.dataset), tags={tag.key: str(tag.value) for tag in each.tags}
        )
        for each in inputs
    ]


def _dataset_to_proto(dataset: Dataset) -> run_inputs_pb2.Dataset:
    return run_inputs_pb2.Dataset(
        name=dataset.name,
        digest=dataset.digest,
        source_type=dataset.source_type,
        source=dataset.source,
        schema=dataset.schema,
        profile=dataset.profile,
    )


def _dataset_input_of(message: run_inputs_pb2.DatasetInput) -> DatasetInput:
    dataset = message.dataset
    return DatasetInput(
        Dataset(
            name=dataset.name,
            digest=dataset.digest,
            source_type=dataset.source_type,
            source=dataset.source,
            schema=dataset.schema or None,
            profile=dataset.profile or None,
        ),
        [InputTag(key, value) for key, value in sorted(message.tags.items())],
    )
