"""All of core in one value: what a door is built on."""

from dataclasses import dataclass

from trackwire_server.core.admin import Admin
from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.evaluation_datasets import EvaluationDatasets
from trackwire_server.core.evaluation_imports import EvaluationImports
from trackwire_server.core.experiments import Experiments
from trackwire_server.core.imports import Imports
from trackwire_server.core.issues import Issues
from trackwire_server.core.logged_models import LoggedModels
from trackwire_server.core.metrics import Metrics
from trackwire_server.core.model_registry import ModelRegistry
from trackwire_server.core.runs import Runs


@dataclass(frozen=True, slots=True)
class Services:
    """The rules of each noun, ready to be called; `artifacts` are those of runs."""

    experiments: Experiments
    runs: Runs
    metrics: Metrics
    artifacts: Artifacts
    model_registry: ModelRegistry
    logged_models: LoggedModels
    model_artifacts: Artifacts
    issues: Issues
    evaluation_datasets: EvaluationDatasets
    imports: Imports
    evaluation_imports: EvaluationImports
    admin: Admin
