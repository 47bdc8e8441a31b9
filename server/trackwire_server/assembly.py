"""The rules of every noun, over the stores."""

from pathlib import Path

from trackwire_server.announcement import installed_version
from trackwire_server.config import Config
from trackwire_server.core.admin import Admin, AdminStores, ServerFacts
from trackwire_server.core.artifact_owners import LoggedModelOwners, RunOwners
from trackwire_server.core.artifact_places import ByteStores
from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.clock import random_id, system_clock
from trackwire_server.core.evaluation_datasets import EvaluationDatasets
from trackwire_server.core.evaluation_imports import EvaluationImports
from trackwire_server.core.experiments import Experiments
from trackwire_server.core.imports import Imports
from trackwire_server.core.issues import Issues
from trackwire_server.core.logged_models import LoggedModels
from trackwire_server.core.metrics import Metrics
from trackwire_server.core.model_registry import ModelRegistry
from trackwire_server.core.runs import Runs
from trackwire_server.core.services import Services
from trackwire_server.core.traces import NO_TRACES, WorkTraces
from trackwire_server.storage import Stores


def services_of(config: Config, stores: Stores, artifacts: ByteStores, traces: WorkTraces = NO_TRACES) -> Services:
    """All of core."""
    clock = system_clock
    metrics = Metrics(stores.metrics, clock, traces)
    facts = ServerFacts(
        version=installed_version(),
        store=stores.kind,
        schema_version=stores.schema_version,
        artifacts_uri=config.artifacts_uri_shown,
        start_time_ms=clock(),
    )
    collected = AdminStores(
        stores.garbage,
        stores.experiments,
        stores.runs,
        stores.uploads,
        artifacts,
        stores.logged_models,
        stores.model_garbage,
        stores.model_uploads,
    )
    return Services(
        experiments=Experiments(stores.experiments, clock, working_folder=Path.cwd()),
        runs=Runs(stores.runs, stores.run_data, stores.run_inputs, clock, random_id),
        metrics=metrics,
        artifacts=Artifacts(RunOwners(stores.runs), stores.uploads, artifacts, clock),
        model_registry=ModelRegistry(
            stores.registered_models, stores.model_versions, stores.runs, stores.logged_models, clock
        ),
        logged_models=LoggedModels(stores.logged_models, clock, random_id),
        model_artifacts=Artifacts(LoggedModelOwners(stores.logged_models), stores.model_uploads, artifacts, clock),
        issues=Issues(stores.issues, clock, random_id),
        evaluation_datasets=EvaluationDatasets(stores.evaluation_datasets, stores.evaluation_records, clock, random_id),
        imports=Imports(stores.imports, clock, working_folder=Path.cwd()),
        evaluation_imports=EvaluationImports(stores.evaluation_imports, clock),
        admin=Admin(facts, collected, data_plane=metrics, clock=clock, pools=stores.pools),
    )
