"""How the one channel to the server is set up: keepalive, sizes, and which calls gRPC may send again by itself."""

import json
from collections.abc import Mapping

import grpc

from trackwire.address import addresses_in, host_and_port, is_loopback, is_several

MESSAGE_BYTES_MAX = 32 * 1024 * 1024
# The server measures a message's payload; gRPC also counts the frame around it.
MESSAGE_SLACK_BYTES = 64 * 1024
KEEPALIVE_SECONDS = 30
KEEPALIVE_TIMEOUT_SECONDS = 10

# Idempotent as sent: a second copy leaves the same behind as the first. All but these are sent once.
# CreateRun, CreateModelVersion, CreateLoggedModel, CreateIssue and CreateEvaluationDataset are, since this client
# always gives them a request_id.
RETRIED = {
    "ExperimentService": (
        "GetExperiment",
        "SearchExperiments",
        "UpdateExperiment",
        "SetExperimentTags",
    ),
    "RunService": (
        "CreateRun",
        "GetRun",
        "UpdateRun",
        "DeleteRun",
        "RestoreRun",
        "SearchRuns",
        "LogParams",
        "SetRunTags",
        "LogRunInputs",
        "LogRunOutputs",
        "SearchRunDatasets",
        "ListRunKeys",
        "HeartbeatRun",
        "RequestRunStop",
    ),
    "MetricService": (
        "IngestMetrics",
        "ReadMetrics",
        "GetMetricSummaries",
        "TailMetrics",
    ),
    "ArtifactService": (
        "ListArtifacts",
        "GetUploadStatus",
        "DownloadArtifact",
        "CreateArtifactUploadUrl",
        "CreateArtifactDownloadUrl",
        "CompleteArtifactUpload",
    ),
    "ModelRegistryService": (
        "GetRegisteredModel",
        "SearchRegisteredModels",
        "UpdateRegisteredModel",
        "SetRegisteredModelTags",
        "DeleteRegisteredModelTag",
        "SetRegisteredModelAlias",
        "DeleteRegisteredModelAlias",
        "CreateModelVersion",
        "GetModelVersion",
        "GetLatestModelVersions",
        "SearchModelVersions",
        "UpdateModelVersion",
        "TransitionModelVersionStage",
        "SetModelVersionTags",
        "DeleteModelVersionTag",
    ),
    "LoggedModelService": (
        "CreateLoggedModel",
        "GetLoggedModel",
        "SearchLoggedModels",
        "UpdateLoggedModel",
        "DeleteLoggedModel",
        "SetLoggedModelTags",
        "LogLoggedModelParams",
    ),
    "IssueService": (
        "CreateIssue",
        "GetIssue",
        "UpdateIssue",
        "SearchIssues",
    ),
    "EvaluationDatasetService": (
        "CreateEvaluationDataset",
        "GetEvaluationDataset",
        "SearchEvaluationDatasets",
        "SetEvaluationDatasetTags",
        "UpsertEvaluationDatasetRecords",
        "ListEvaluationDatasetRecords",
        "AddEvaluationDatasetToExperiments",
        "RemoveEvaluationDatasetFromExperiments",
    ),
    "ImportService": (
        "ImportExperiment",
        "ImportRun",
        "ImportLoggedModel",
        "ImportRegisteredModel",
        "ImportModelVersion",
        "ImportIssue",
        "ImportEvaluationDataset",
        "ImportEvaluationDatasetRecords",
    ),
    "AdminService": ("GetServerInfo",),
}


# Over several servers: each call goes to the next one that says it is ready; or all go to one, whichever a client
# happens to choose, for what is to arrive in order.
SPREAD = {"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}
KEPT_TOGETHER = {"loadBalancingConfig": [{"pick_first": {"shuffleAddressList": True}}]}
_ONE: Mapping[str, object] = {}


def service_config(balancing: Mapping[str, object] = _ONE) -> str:
    """gRPC's service config: retries for the calls in RETRIED where a server is away, fewer while most of them fail."""
    names = [
        {"service": f"trackwire.v1.{service}", "method": method}
        for service, methods in RETRIED.items()
        for method in methods
    ]
    retry_policy = {
        "maxAttempts": 5,
        "initialBackoff": "0.1s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        # The second is what a server's grpc says to calls that come while it stops.
        "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
    }
    return json.dumps(
        {
            "methodConfig": [{"name": names, "retryPolicy": retry_policy}],
            "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
            **balancing,
        }
    )


def channel_options(address: str, balancing: Mapping[str, object] = SPREAD) -> list[tuple[str, str | int]]:
    """The channel's options; the server's keepalive enforcement permits these pings."""
    options: list[tuple[str, str | int]] = [
        ("grpc.service_config", service_config(balancing if is_several(address) else _ONE)),
        ("grpc.enable_retries", 1),
        ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_SECONDS * 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 5_000),
        ("grpc.max_send_message_length", MESSAGE_BYTES_MAX + MESSAGE_SLACK_BYTES),
        ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX + MESSAGE_SLACK_BYTES),
        # A client's connection is its own: one that backs off from a dead server doesn't hold up the next one.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if "," in address:
        options.append(("grpc.default_authority", addresses_in(address)[0]))
    if is_loopback(address):
        options.append(("grpc.enable_http_proxy", 0))
    return options


def open_channel(
    address: str, credentials: grpc.ChannelCredentials | None = None, balancing: Mapping[str, object] = SPREAD
) -> grpc.Channel:
    """A channel to an address, over TLS where there are credentials; it connects with the first call."""
    target, options = _target(address), channel_options(address, balancing)
    if credentials is not None:
        return grpc.secure_channel(target, credentials, options=options)
    return grpc.insecure_channel(target, options=options)


def open_async_channel(address: str, credentials: grpc.ChannelCredentials | None = None) -> grpc.aio.Channel:
    """The same for the event loop that runs."""
    target, options = _target(address), channel_options(address)
    if credentials is not None:
        return grpc.aio.secure_channel(target, credentials, options=options)
    return grpc.aio.insecure_channel(target, options=options)


def _target(address: str) -> str:
    """As gRPC calls it."""
    plain = host_and_port(address)
    if "," not in plain:
        return plain
    return f"ipv6:{plain}" if "[" in plain else f"ipv4:{plain}"
