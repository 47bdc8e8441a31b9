"""grpcs://, to a proxy that speaks TLS."""

from pathlib import Path

import pytest
from mlflow import MlflowClient
from tests.client.tls_proxy import make_certificate, tls_proxy
from tests.conftest import ServerProcess

from trackwire.mlflow_plugin.connections import client_of


@pytest.mark.usefixtures("uri")
def test_grpcs_trusts_the_certificates_that_mlflow_is_told(
    live: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = make_certificate(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
    with tls_proxy(live.address, certificate, key) as address:
        client = MlflowClient(f"grpcs://{address}")
        run_id = client.create_run("0").info.run_id
        client.log_metric(run_id, "loss", 0.5)
        client.log_text(run_id, "said", "note.txt")
        assert client.get_run(run_id).data.metrics == {"loss": 0.5}
        assert [entry.path for entry in client.list_artifacts(run_id)] == ["note.txt"]
        # It would look for the proxy as long as the process lives.
        client_of(client.tracking_uri).close()
