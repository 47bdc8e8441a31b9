"""What scikit-learn trains logs itself, is registered, and predicts the same when it is loaded back."""

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor

# MLflow warns of what the libraries beside it do.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(params=["grpc", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


def test_forest_logs_itself_and_comes_back(experiment_id: str, client: MlflowClient, model_name: str) -> None:
    features, targets = load_diabetes(return_X_y=True)
    mlflow.sklearn.autolog(silent=True)
    try:
        with mlflow.start_run() as started:
            forest = RandomForestRegressor(n_estimators=5, max_depth=3, random_state=0).fit(features, targets)
    finally:
        mlflow.sklearn.autolog(disable=True)
    run = mlflow.get_run(started.info.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["n_estimators"] == "5"
    assert run.data.metrics["training_r2_score"] == pytest.approx(forest.score(features, targets))
    assert [each.dataset.name for each in run.inputs.dataset_inputs] == ["dataset"]

    [model] = mlflow.search_logged_models(experiment_ids=[experiment_id], output_format="list")
    assert [output.model_id for output in run.outputs.model_outputs] == [model.model_id]
    assert model.status == "READY"
    assert model.params["max_depth"] == "3"
    assert {metric.key: metric.value for metric in model.metrics} == run.data.metrics

    version = mlflow.register_model(model.model_uri, model_name)
    client.set_registered_model_alias(model_name, "champion", version.version)
    for uri in (f"models:/{model_name}@champion", f"models:/{model_name}/1", model.model_uri):
        assert np.array_equal(mlflow.sklearn.load_model(uri).predict(features), forest.predict(features))
    assert np.array_equal(mlflow.pyfunc.load_model(model.model_uri).predict(features), forest.predict(features))
    assert client.get_logged_model(model.model_id).tags["mlflow.modelVersions"]
