"""PyTorch Lightning logs a training by its MLFlowLogger. Left out unless asked for: CONTRIBUTING says how to run it."""

from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

pytestmark = [
    pytest.mark.lightning,
    # Lightning tells of processors, of workers and of what it found on the disk.
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(params=["grpc", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Both."""
    return str(request.param)


def test_training_logs_itself_and_its_checkpoints(
    uri: str, client: MlflowClient, model_name: str, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    lightning = pytest.importorskip("lightning.pytorch")
    from tests.mlflow_client.line import Line

    # Each batch has inputs from everywhere, so that the loss falls from step to step.
    inputs = torch.linspace(-1, 1, 64).reshape(16, 4).T.reshape(-1, 1)
    batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs, 3 * inputs + 1), batch_size=16)
    logger = lightning.loggers.MLFlowLogger(model_name, "a line", uri, tags={"team": "red"}, log_model="all")
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=3,
        log_every_n_steps=1,
        logger=logger,
        default_root_dir=tmp_path,
        callbacks=[lightning.callbacks.ModelCheckpoint(monitor="loss_of_epoch", save_top_k=2)],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    line = Line(learning_rate=0.1)
    trainer.fit(line, batches)

    run = client.get_run(logger.run_id)
    experiment = client.get_experiment_by_name(model_name)
    assert experiment is not None
    assert (run.info.experiment_id, run.info.run_name, run.info.status) == (
        experiment.experiment_id,
        "a line",
        "FINISHED",
    )
    assert run.data.params == {"learning_rate": "0.1"}
    assert run.data.tags["team"] == "red"
    steps = client.get_metric_history(logger.run_id, "loss")
    assert [point.step for point in steps] == list(range(12))
    assert steps[-1].value < steps[0].value
    assert [point.value for point in client.get_metric_history(logger.run_id, "epoch")][-1] == 2

    checkpoints = [f"epoch={epoch}-step={4 * (epoch + 1)}" for epoch in range(3)]
    assert [entry.path for entry in client.list_artifacts(logger.run_id)] == checkpoints
    there = Path(mlflow.artifacts.download_artifacts(f"runs:/{logger.run_id}/{checkpoints[-1]}", dst_path=tmp_path))
    assert (there / "aliases.txt").read_text() == "['latest', 'best']"
    loaded = Line.load_from_checkpoint(there / f"{checkpoints[-1]}.ckpt", map_location="cpu")
    assert all(map(torch.equal, loaded.state_dict().values(), line.state_dict().values()))


def test_logger_goes_on_with_a_run(uri: str, client: MlflowClient, run_id: str) -> None:
    lightning = pytest.importorskip("lightning.pytorch")
    logger = lightning.loggers.MLFlowLogger(tracking_uri=uri, run_id=run_id, prefix="late")
    logger.log_hyperparams({"model": {"depth": 3}, "names": ["a", "b"]})
    logger.log_metrics({"loss": 0.5}, step=7)
    logger.finalize("failed")
    run = client.get_run(run_id)
    assert run.info.status == "FAILED"
    assert run.data.params == {"model/depth": "3", "names": "['a', 'b']"}
    assert [(point.key, point.step) for point in client.get_metric_history(run_id, "late-loss")] == [("late-loss", 7)]
