"""What the server can do beyond what every server does: MLflow's clients and pages ask for it first."""

from collections.abc import Mapping

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from trackwire_server.mlflow_api.door import Answer, Rpc, json_response

# The store is neither of the two that MLflow has names for, FileStore and SqlStore.
_CAPABILITIES: Mapping[str, object] = {
    "store_type": None,
    "workspaces_enabled": False,
    "trace_archival_enabled": False,
    "multipart_uploads_enabled": False,
    "multipart_downloads_enabled": False,
    "presigned_upload_run_id_supported": False,
    "presigned_upload_model_id_supported": False,
    "features_enabled": {"gateway": False},
}


class GetServerInfo(Struct):
    pass


async def server_info(_request: GetServerInfo) -> Answer:
    return _CAPABILITIES


async def tell_server_info(_request: Request) -> Response:
    """The same where no other rpc is served."""
    return json_response(_CAPABILITIES)


SERVER_INFO = Rpc("GET", "3.0/mlflow/server-info", GetServerInfo, server_info)
