"""THE table of scopes: what a token must have for each rpc, and for each request over HTTP.

Whatever stands in none of these needs admin.
"""

from collections.abc import Mapping

from trackwire_server.core.tokens import Scope

# Collecting garbage can't be undone. An import chooses ids and times, and makes what is here equal to what is sent.
_RPCS = """
    ExperimentService         read   GetExperiment SearchExperiments
    ExperimentService         write  CreateExperiment UpdateExperiment SetExperimentTags DeleteExperimentTag
    ExperimentService         write  DeleteExperiment RestoreExperiment
    RunService                read   GetRun SearchRuns SearchRunDatasets ListRunKeys
    RunService                write  CreateRun UpdateRun DeleteRun RestoreRun LogParams SetRunTags DeleteRunTag
    RunService                write  LogRunInputs LogRunOutputs HeartbeatRun RequestRunStop
    MetricService             read   ReadMetrics GetMetricSummaries TailMetrics
    MetricService             write  IngestMetrics LogMetrics
    ArtifactService           read   ListArtifacts DownloadArtifact CreateArtifactDownloadUrl
    ArtifactService           write  UploadArtifact GetUploadStatus DeleteArtifact CreateArtifactUploadUrl
    ArtifactService           write  CreateArtifactPartUrl CompleteArtifactUpload
    ModelRegistryService      read   GetRegisteredModel SearchRegisteredModels
    ModelRegistryService      read   GetModelVersion GetLatestModelVersions SearchModelVersions
    ModelRegistryService      write  CreateRegisteredModel UpdateRegisteredModel RenameRegisteredModel
    ModelRegistryService      write  DeleteRegisteredModel SetRegisteredModelTags DeleteRegisteredModelTag
    ModelRegistryService      write  SetRegisteredModelAlias DeleteRegisteredModelAlias
    ModelRegistryService      write  CreateModelVersion UpdateModelVersion DeleteModelVersion
    ModelRegistryService      write  TransitionModelVersionStage SetModelVersionTags DeleteModelVersionTag
    LoggedModelService        read   GetLoggedModel SearchLoggedModels
    LoggedModelService        write  CreateLoggedModel UpdateLoggedModel DeleteLoggedModel
    LoggedModelService        write  SetLoggedModelTags DeleteLoggedModelTag LogLoggedModelParams
    IssueService              read   GetIssue SearchIssues
    IssueService              write  CreateIssue UpdateIssue
    EvaluationDatasetService  read   GetEvaluationDataset SearchEvaluationDatasets ListEvaluationDatasetRecords
    EvaluationDatasetService  write  CreateEvaluationDataset DeleteEvaluationDataset
    EvaluationDatasetService  write  SetEvaluationDatasetTags DeleteEvaluationDatasetTag
    EvaluationDatasetService  write  UpsertEvaluationDatasetRecords DeleteEvaluationDatasetRecords
    EvaluationDatasetService  write  AddEvaluationDatasetToExperiments RemoveEvaluationDatasetFromExperiments
    ImportService             admin  ImportExperiment ImportRun ImportLoggedModel ImportRegisteredModel
    ImportService             admin  ImportModelVersion ImportIssue
    ImportService             admin  ImportEvaluationDataset ImportEvaluationDatasetRecords
    AdminService              read   GetServerInfo
    AdminService              admin  CollectGarbage
"""
# Where the paths of our rpcs begin.
RPC_PATHS = "/trackwire.v1."
# Who watches over a server has no token.
_OPEN_RPCS = "/grpc.health."
_REFLECTION = "/grpc.reflection."

# Whoever spreads calls over servers has no token either. The web UI's files hold no data; it asks for one itself.
OPEN_PATHS = ("/", "/frame.html", "/frame.js", "/health", "/ready")
OPEN_FOLDER = "/assets/"
# A method of HTTP says what a request does, but for searches, whose words are in a body.
METHOD_SCOPES: Mapping[str, Scope] = {
    "GET": Scope.READ,
    "HEAD": Scope.READ,
    "POST": Scope.WRITE,
    "PUT": Scope.WRITE,
    "PATCH": Scope.WRITE,
    "DELETE": Scope.WRITE,
}
_READING = ("GET", "HEAD")
READING_POSTS = frozenset(
    (
        "2.0/mlflow/experiments/search",
        "2.0/mlflow/experiments/search-datasets",
        "2.0/mlflow/runs/search",
        "2.0/mlflow/logged-models/search",
        "2.0/mlflow/registered-models/get-latest-versions",
        "3.0/mlflow/datasets/search",
        "3.0/mlflow/issues/search",
    )
)
_API_PREFIXES = ("/api/", "/ajax-api/")


def _by_rpc(table: str) -> Mapping[str, Scope]:
    rows = [line.split() for line in table.strip().splitlines()]
    return {
        f"{RPC_PATHS}{service}/{method}": Scope[scope.upper()]
        for service, scope, *methods in rows
        for method in methods
    }


RPC_SCOPES = _by_rpc(_RPCS)


def scope_of_rpc(method: str) -> Scope | None:
    """What a call needs, by its path, such as /trackwire.v1.RunService/GetRun; None for one that is open to all."""
    if method.startswith(_OPEN_RPCS):
        return None
    if method.startswith(_REFLECTION):
        return Scope.READ
    return RPC_SCOPES.get(method, Scope.ADMIN)


def scope_of_request(method: str, path: str) -> Scope | None:
    """The same of a request over HTTP, whose path has lost the server's own prefix."""
    if method in _READING and (path in OPEN_PATHS or path.startswith(OPEN_FOLDER)):
        return None
    # A call asks for its own scope, and says in its own words what is missing.
    if path.startswith(RPC_PATHS):
        return None
    if method == "POST" and _below_api(path) in READING_POSTS:
        return Scope.READ
    return METHOD_SCOPES.get(method, Scope.ADMIN)


def _below_api(path: str) -> str:
    return next((path.removeprefix(prefix) for prefix in _API_PREFIXES if path.startswith(prefix)), "")
