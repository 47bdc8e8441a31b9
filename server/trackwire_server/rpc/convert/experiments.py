"""Experiments' messages and entities, each way."""

from trackwire.v1 import experiments_pb2 as pb
from trackwire_server.core.entities import Experiment, ExperimentReference
from trackwire_server.core.searching import SearchRequest
from trackwire_server.rpc.convert.shared import stage_to_proto, view_from_proto


def experiment_to_proto(experiment: Experiment) -> pb.Experiment:
    """An experiment."""
    return pb.Experiment(
        experiment_id=experiment.experiment_id,
        workspace=experiment.workspace,
        name=experiment.name,
        artifact_location=experiment.artifact_location,
        lifecycle_stage=stage_to_proto(experiment.lifecycle_stage),
        creation_time_ms=experiment.creation_time_ms,
        last_update_time_ms=experiment.last_update_time_ms,
        tags=experiment.tags,
    )


def reference_from_proto(request: pb.GetExperimentRequest) -> ExperimentReference:
    """Which experiment, by id or by name."""
    return ExperimentReference(experiment_id=request.experiment_id, name=request.name)


def search_from_proto(request: pb.SearchExperimentsRequest) -> SearchRequest:
    """A search. Raises InvalidArgument."""
    return SearchRequest(
        filter=request.filter,
        order_by=tuple(request.order_by),
        page_size=request.page_size,
        page_token=request.page_token,
        view=view_from_proto(request.view_type),
        tags_required=request.tags_required,
    )
