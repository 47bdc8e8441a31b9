"""What MLflow has and this server has not: it says so by its name.

The rpcs are those of MLflow 3.18's protobuf services. Beside them are paths that no protobuf describes: of its pages,
of other protocols, and of basic-auth, as 3.12 and 3.17 have it.
"""

from collections.abc import Mapping

from trackwire_server.mlflow_api.door import UnknownRpc

_TABLE = """
    PATCH  2.0/mlflow/traces/{request_id}/tags setTraceTag
    PATCH  3.0/mlflow/traces/{trace_id}/tags setTraceTagV3
    DELETE 2.0/mlflow/traces/{request_id}/tags deleteTraceTag
    DELETE 3.0/mlflow/traces/{trace_id}/tags deleteTraceTagV3
    POST   2.0/mlflow/artifacts/presigned-upload-url createPresignedUploadUrl
    POST   2.0/mlflow/artifacts/presigned-download-url createPresignedDownloadUrl
    POST   2.0/mlflow/traces startTrace
    PATCH  2.0/mlflow/traces/{request_id} endTrace
    GET    2.0/mlflow/traces/{request_id}/info getTraceInfo
    GET    3.0/mlflow/traces/{trace_id} getTraceInfoV3
    GET    3.0/mlflow/traces/get getTrace
    GET    3.0/mlflow/traces/batchGet batchGetTraces
    POST   3.0/mlflow/traces/batchGetInfos batchGetTraceInfos
    GET    2.0/mlflow/traces searchTraces
    POST   3.0/mlflow/traces/search searchTracesV3
    POST   3.0/mlflow/traces startTraceV3
    POST   2.0/mlflow/traces/link-to-run linkTracesToRun
    POST   2.0/mlflow/traces/link-prompts linkPromptsToTrace
    GET    2.0/mlflow/unified-traces searchUnifiedTraceHandler
    GET    2.0/mlflow/get-online-trace-details getOnlineTraceDetails
    POST   2.0/mlflow/traces/delete-traces deleteTraces
    POST   3.0/mlflow/traces/delete-traces deleteTracesV3
    POST   3.0/mlflow/traces/calculate-filter-correlation calculateTraceFilterCorrelation
    POST   3.0/mlflow/traces/metrics queryTraceMetrics
    GET    3.0/mlflow/workspaces listWorkspaces
    POST   3.0/mlflow/workspaces createWorkspace
    GET    3.0/mlflow/workspaces/{workspace_name} getWorkspace
    PATCH  3.0/mlflow/workspaces/{workspace_name} updateWorkspace
    DELETE 3.0/mlflow/workspaces/{workspace_name} deleteWorkspace
    GET    3.0/mlflow/traces/{trace_id}/assessments/{assessment_id} GetAssessment
    POST   3.0/mlflow/traces/{assessment.trace_id}/assessments createAssessment
    PATCH  3.0/mlflow/traces/{trace_id}/assessments/{assessment_id} updateAssessment
    DELETE 3.0/mlflow/traces/{trace_id}/assessments/{assessment_id} deleteAssessment
    POST   3.0/mlflow/label-schemas/create createLabelSchema
    GET    3.0/mlflow/label-schemas/get getLabelSchema
    GET    3.0/mlflow/label-schemas/get-by-name getLabelSchemaByName
    GET    3.0/mlflow/label-schemas/list listLabelSchemas
    PATCH  3.0/mlflow/label-schemas/update updateLabelSchema
    DELETE 3.0/mlflow/label-schemas/delete deleteLabelSchema
    POST   3.0/mlflow/datasets/create createDataset
    GET    3.0/mlflow/datasets/{dataset_id} getDataset
    DELETE 3.0/mlflow/datasets/{dataset_id} deleteDataset
    POST   3.0/mlflow/datasets/search searchEvaluationDatasets
    GET    3.0/mlflow/datasets/search searchEvaluationDatasets
    PATCH  3.0/mlflow/datasets/{dataset_id}/tags setDatasetTags
    DELETE 3.0/mlflow/datasets/{dataset_id}/tags/{key} deleteDatasetTag
    POST   3.0/mlflow/datasets/{dataset_id}/records upsertDatasetRecords
    GET    3.0/mlflow/datasets/{dataset_id}/experiment-ids getDatasetExperimentIds
    POST   3.0/mlflow/scorers/register registerScorer
    GET    3.0/mlflow/scorers/list listScorers
    GET    3.0/mlflow/scorers/versions listScorerVersions
    GET    3.0/mlflow/scorers/get getScorer
    DELETE 3.0/mlflow/scorers/delete deleteScorer
    GET    3.0/mlflow/datasets/{dataset_id}/records getDatasetRecords
    DELETE 3.0/mlflow/datasets/{dataset_id}/records deleteDatasetRecords
    POST   3.0/mlflow/datasets/{dataset_id}/add-experiments addDatasetToExperiments
    POST   3.0/mlflow/datasets/{dataset_id}/remove-experiments removeDatasetFromExperiments
    POST   3.0/mlflow/gateway/secrets/create createGatewaySecret
    GET    3.0/mlflow/gateway/secrets/get getGatewaySecretInfo
    POST   3.0/mlflow/gateway/secrets/update updateGatewaySecret
    DELETE 3.0/mlflow/gateway/secrets/delete deleteGatewaySecret
    GET    3.0/mlflow/gateway/secrets/list listGatewaySecretInfos
    POST   3.0/mlflow/gateway/endpoints/create createGatewayEndpoint
    GET    3.0/mlflow/gateway/endpoints/get getGatewayEndpoint
    POST   3.0/mlflow/gateway/endpoints/update updateGatewayEndpoint
    DELETE 3.0/mlflow/gateway/endpoints/delete deleteGatewayEndpoint
    GET    3.0/mlflow/gateway/endpoints/list listGatewayEndpoints
    POST   3.0/mlflow/gateway/model-definitions/create createGatewayModelDefinition
    GET    3.0/mlflow/gateway/model-definitions/get getGatewayModelDefinition
    GET    3.0/mlflow/gateway/model-definitions/list listGatewayModelDefinitions
    POST   3.0/mlflow/gateway/model-definitions/update updateGatewayModelDefinition
    DELETE 3.0/mlflow/gateway/model-definitions/delete deleteGatewayModelDefinition
    POST   3.0/mlflow/gateway/endpoints/models/attach attachModelToEndpoint
    POST   3.0/mlflow/gateway/endpoints/models/detach detachModelFromEndpoint
    POST   3.0/mlflow/gateway/endpoints/bindings/create createEndpointBinding
    DELETE 3.0/mlflow/gateway/endpoints/bindings/delete deleteEndpointBinding
    GET    3.0/mlflow/gateway/endpoints/bindings/list listEndpointBindings
    POST   3.0/mlflow/gateway/endpoints/set-tag setGatewayEndpointTag
    DELETE 3.0/mlflow/gateway/endpoints/delete-tag deleteGatewayEndpointTag
    POST   3.0/mlflow/gateway/budgets/create createBudgetPolicy
    GET    3.0/mlflow/gateway/budgets/get getBudgetPolicy
    POST   3.0/mlflow/gateway/budgets/update updateBudgetPolicy
    DELETE 3.0/mlflow/gateway/budgets/delete deleteBudgetPolicy
    GET    3.0/mlflow/gateway/budgets/list listBudgetPolicies
    GET    3.0/mlflow/gateway/budgets/windows listBudgetWindows
    POST   3.0/mlflow/gateway/guardrails/create createGatewayGuardrail
    GET    3.0/mlflow/gateway/guardrails/get getGatewayGuardrail
    DELETE 3.0/mlflow/gateway/guardrails/delete deleteGatewayGuardrail
    GET    3.0/mlflow/gateway/guardrails/list listGatewayGuardrails
    POST   3.0/mlflow/gateway/guardrails/add-to-endpoint addGuardrailToEndpoint
    DELETE 3.0/mlflow/gateway/guardrails/remove-from-endpoint removeGuardrailFromEndpoint
    GET    3.0/mlflow/gateway/guardrails/list-for-endpoint listEndpointGuardrailConfigs
    PATCH  3.0/mlflow/gateway/guardrails/update-config updateEndpointGuardrailConfig
    POST   3.0/mlflow/prompt-optimization/jobs createPromptOptimizationJob
    GET    3.0/mlflow/prompt-optimization/jobs/{job_id} getPromptOptimizationJob
    POST   3.0/mlflow/prompt-optimization/jobs/search searchPromptOptimizationJobs
    GET    3.0/mlflow/prompt-optimization/jobs/search searchPromptOptimizationJobs
    POST   3.0/mlflow/prompt-optimization/jobs/{job_id}/cancel cancelPromptOptimizationJob
    DELETE 3.0/mlflow/prompt-optimization/jobs/{job_id} deletePromptOptimizationJob
    POST   3.0/mlflow/review-queues/create createReviewQueue
    POST   3.0/mlflow/review-queues/get-or-create-user getOrCreateUserQueue
    GET    3.0/mlflow/review-queues/get getReviewQueue
    GET    3.0/mlflow/review-queues/get-by-name getReviewQueueByName
    GET    3.0/mlflow/review-queues/list listReviewQueues
    POST   3.0/mlflow/review-queues/update updateReviewQueue
    POST   3.0/mlflow/review-queues/delete deleteReviewQueue
    POST   3.0/mlflow/review-queues/items/add addItemsToReviewQueue
    POST   3.0/mlflow/review-queues/items/remove removeItemsFromReviewQueue
    GET    3.0/mlflow/review-queues/items/list listReviewQueueItems
    POST   3.0/mlflow/review-queues/items/set-status setReviewQueueItemStatus
    POST   2.0/mlflow/webhooks createWebhook
    GET    2.0/mlflow/webhooks listWebhooks
    GET    2.0/mlflow/webhooks/{webhook_id} getWebhook
    PATCH  2.0/mlflow/webhooks/{webhook_id} updateWebhook
    DELETE 2.0/mlflow/webhooks/{webhook_id} deleteWebhook
    POST   2.0/mlflow/webhooks/{webhook_id}/test testWebhook
"""

UNKNOWN_RPCS = tuple(
    UnknownRpc(method, path, name) for method, path, name in (line.split() for line in _TABLE.strip().splitlines())
)

# What stands at a path of the API and at all below it, unless something is answered there; the nearest comes first.
_BRANCHES = """
    2.0/mlflow/users basic-auth
    3.0/mlflow/users basic-auth
    3.0/mlflow/roles basic-auth
    2.0/mlflow/experiments/permissions basic-auth
    2.0/mlflow/registered-models/permissions basic-auth
    3.0/mlflow/scorers/permissions basic-auth
    3.0/mlflow/gateway/secrets/permissions basic-auth
    3.0/mlflow/gateway/endpoints/permissions basic-auth
    3.0/mlflow/gateway/model-definitions/permissions basic-auth
    3.0/mlflow/workspace-permissions basic-auth
    3.0/mlflow/workspaces workspaces
    2.0/mlflow/runs/create-promptlab-run create-promptlab-run
    2.0/mlflow/gateway-proxy gateway-proxy
    2.0/mlflow/get-trace-artifact get-trace-artifact
    3.0/mlflow/get-trace-artifact get-trace-artifact
    3.0/mlflow/gateway AI gateway
    3.0/mlflow/scorer scorer/invoke
    3.0/mlflow/scorers/online-config online scoring
    3.0/mlflow/scorers/online-configs online scoring
    3.0/mlflow/issues/invoke issues/invoke
    3.0/mlflow/genai genai/evaluate
    3.0/mlflow/jobs jobs
    3.0/jobs jobs
    3.0/mlflow/demo demo
    3.0/mlflow/assistant assistant
    3.0/mlflow/mcp-servers MCP server registry
    3.0/mlflow/ui-telemetry ui-telemetry
"""
# The same of paths that lie elsewhere.
_PLACES = """
    /graphql GraphQL
    /v1/traces OpenTelemetry traces
    /v1/metrics OpenTelemetry metrics
    /gateway AI gateway
    /signup basic-auth
"""


def _by_path(table: str) -> Mapping[str, str]:
    return dict(line.split(maxsplit=1) for line in table.strip().splitlines())


UNKNOWN_BRANCHES, UNKNOWN_PLACES = _by_path(_BRANCHES), _by_path(_PLACES)
