"""The doors to all of core, a service a noun."""

from collections.abc import Sequence
from functools import partial

from trackwire.v1 import (
    admin_pb2,
    artifacts_pb2,
    evaluation_datasets_pb2,
    experiments_pb2,
    experiments_pb2_grpc,
    imports_pb2,
    issues_pb2,
    logged_models_pb2,
    metrics_pb2,
    model_registry_pb2,
    runs_pb2,
    runs_pb2_grpc,
)
from trackwire_server.core.clock import Clock
from trackwire_server.core.services import Services
from trackwire_server.rpc import (
    admin,
    artifacts,
    evaluation_datasets,
    imports,
    issues,
    logged_models,
    metrics,
    model_registry,
)
from trackwire_server.rpc.admin import AdminServicer
from trackwire_server.rpc.artifacts import ArtifactServicer
from trackwire_server.rpc.evaluation_datasets import EvaluationDatasetServicer
from trackwire_server.rpc.experiments import ExperimentServicer
from trackwire_server.rpc.imports import ImportServicer
from trackwire_server.rpc.issues import IssueServicer
from trackwire_server.rpc.logged_models import LoggedModelServicer
from trackwire_server.rpc.metrics import MetricServicer
from trackwire_server.rpc.model_registry import ModelRegistryServicer
from trackwire_server.rpc.runs import RunServicer
from trackwire_server.rpc.server import Door

EXPERIMENTS = experiments_pb2.DESCRIPTOR.services_by_name["ExperimentService"].full_name
RUNS = runs_pb2.DESCRIPTOR.services_by_name["RunService"].full_name
METRICS = metrics_pb2.DESCRIPTOR.services_by_name["MetricService"].full_name
ARTIFACTS = artifacts_pb2.DESCRIPTOR.services_by_name["ArtifactService"].full_name
MODEL_REGISTRY = model_registry_pb2.DESCRIPTOR.services_by_name["ModelRegistryService"].full_name
LOGGED_MODELS = logged_models_pb2.DESCRIPTOR.services_by_name["LoggedModelService"].full_name
ISSUES = issues_pb2.DESCRIPTOR.services_by_name["IssueService"].full_name
EVALUATION_DATASETS = evaluation_datasets_pb2.DESCRIPTOR.services_by_name["EvaluationDatasetService"].full_name
IMPORTS = imports_pb2.DESCRIPTOR.services_by_name["ImportService"].full_name
ADMIN = admin_pb2.DESCRIPTOR.services_by_name["AdminService"].full_name


def doors_of(services: Services, clock: Clock) -> Sequence[Door]:
    """A door for each noun and one for those who run the server."""
    add_experiments = experiments_pb2_grpc.add_ExperimentServiceServicer_to_server
    add_runs = runs_pb2_grpc.add_RunServiceServicer_to_server
    return (
        Door(EXPERIMENTS, partial(add_experiments, ExperimentServicer(services.experiments))),
        Door(RUNS, partial(add_runs, RunServicer(services.runs))),
        Door(METRICS, partial(metrics.add_to_server, MetricServicer(services.metrics, clock))),
        Door(
            ARTIFACTS, partial(artifacts.add_to_server, ArtifactServicer(services.artifacts, services.model_artifacts))
        ),
        Door(MODEL_REGISTRY, partial(model_registry.add_to_server, ModelRegistryServicer(services.model_registry))),
        Door(LOGGED_MODELS, partial(logged_models.add_to_server, LoggedModelServicer(services.logged_models))),
        Door(ISSUES, partial(issues.add_to_server, IssueServicer(services.issues))),
        Door(
            EVALUATION_DATASETS,
            partial(evaluation_datasets.add_to_server, EvaluationDatasetServicer(services.evaluation_datasets)),
        ),
        Door(
            IMPORTS,
            partial(imports.add_to_server, ImportServicer(services.imports, services.evaluation_imports)),
        ),
        Door(ADMIN, partial(admin.add_to_server, AdminServicer(services.admin))),
    )
