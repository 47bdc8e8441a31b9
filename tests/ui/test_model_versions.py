"""One version of a model: promoted, moved between stages, given aliases, loaded, and traced back to its run."""

from pathlib import Path

import numpy as np
import pytest
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.types.schema import Array
from playwright.sync_api import Page, expect
from tests.ui.conftest import Served
from tests.ui.registered import run_python, run_shell, versions_made

from trackwire.errors import NotFoundError
from trackwire.v1.model_registry_pb2 import ModelStage

expect.set_options(timeout=30_000)


def test_promoted_version_takes_the_champion_over(page: Page, served: Served) -> None:
    versions_made(served.client, "led", 2)
    served.client.set_registered_model_alias("led", "champion", 1)
    page.goto(served.address_of("/models"))
    page.get_by_role("link", name="led", exact=True).click()
    page.get_by_role("button", name="Promote version 2").click()
    expect(page.get_by_text("“champion” is version 1 now, and moves here from it.")).to_be_visible()
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_role("row", name="Version 2")).to_contain_text("champion")
    assert served.client.get_model_version_by_alias("led", "champion").version == 2
    # There is nothing left to promote it to.
    expect(page.get_by_role("row", name="Version 2")).to_contain_text("Is champion already")
    expect(page.get_by_role("button", name="Promote version 2")).to_have_count(0)
    page.get_by_role("link", name="Version 2", exact=True).click()
    expect(page.get_by_text("Is champion already")).to_be_visible()
    expect(page.get_by_role("button", name="Promote", exact=True)).to_have_count(0)


def test_promotion_by_stages_archives_what_was_there(page: Page, served: Served) -> None:
    versions_made(served.client, "staged", 2)
    served.client.transition_model_version_stage("staged", 1, stage="Production")
    page.goto(served.address_of("/models/staged/versions/2"))
    page.get_by_role("button", name="Promote", exact=True).click()
    dialog = page.get_by_role("dialog")
    # As this model has stages and no aliases.
    expect(dialog.get_by_label("Move it to Production")).to_be_checked()
    expect(dialog).to_contain_text("Version 1 is in Production now.")
    expect(dialog.get_by_label("Archive existing versions")).to_be_checked()
    dialog.get_by_role("button", name="Promote").click()
    expect(page.get_by_text("Stage: Production")).to_be_visible()
    stages = [served.client.get_model_version("staged", number).current_stage for number in (1, 2)]
    assert stages == [ModelStage.MODEL_STAGE_ARCHIVED, ModelStage.MODEL_STAGE_PRODUCTION]
    expect(page.get_by_text("Is in Production already")).to_be_visible()
    expect(page.get_by_role("button", name="Promote", exact=True)).to_have_count(0)


def test_stage_is_changed_by_keyboard_alone(page: Page, served: Served) -> None:
    versions_made(served.client, "typed", 2)
    served.client.transition_model_version_stage("typed", 1, stage="Staging")
    page.goto(served.address_of("/models/typed/versions/2"))
    page.get_by_text("Stage: None").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Move to Staging")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Move to Archived")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem", name="Move to Archived")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Move to Staging")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("Archive existing versions").uncheck()
    page.get_by_role("button", name="Move", exact=True).press("Enter")
    expect(page.get_by_text("Stage: Staging")).to_be_visible()
    stages = {served.client.get_model_version("typed", number).current_stage for number in (1, 2)}
    assert stages == {ModelStage.MODEL_STAGE_STAGING}


def test_aliases_are_set_moved_and_removed(page: Page, served: Served) -> None:
    versions_made(served.client, "named", 2)
    served.client.set_registered_model_alias("named", "trial", 1)
    page.goto(served.address_of("/models/named/versions/2"))
    field = page.get_by_label("New alias")
    field.fill("latest")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("alias: 'latest': is reserved for the highest version")
    field.fill("constructor")
    expect(page.get_by_text("models:/named@constructor will load version 2.")).to_be_visible()
    expect(page.get_by_text("moves here")).to_have_count(0)
    field.fill("trial")
    expect(page.get_by_text("“trial” is version 1 now, and moves here from it.")).to_be_visible()
    page.get_by_role("button", name="Move here").click()
    expect(page.get_by_role("button", name="Remove alias trial")).to_be_visible()
    assert dict(served.client.get_registered_model("named").aliases) == {"trial": 2}
    page.get_by_role("button", name="Remove alias trial").click()
    expect(page.get_by_role("dialog")).to_contain_text("models:/named@trial then finds nothing")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("button", name="Remove alias trial")).to_have_count(0)
    assert not served.client.get_registered_model("named").aliases


def test_version_is_described_and_tagged(page: Page, served: Served) -> None:
    versions_made(served.client, "told", 1)
    page.goto(served.address_of("/models/told/versions/1"))
    page.get_by_role("button", name="Edit description").click()
    page.get_by_role("textbox", name="Description").fill("Better at sevens.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Better at sevens.")).to_be_visible()
    page.get_by_role("button", name="Edit tags").click()
    page.get_by_label("Key").fill("checked")
    page.get_by_label("Value").fill("yes")
    page.get_by_role("button", name="Set", exact=True).last.click()
    expect(page.get_by_role("button", name="Delete tag checked")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("checked: yes")).to_be_visible()
    stored = served.client.get_model_version("told", 1)
    assert (stored.description, dict(stored.tags)) == ("Better at sevens.", {"checked": "yes"})


@pytest.mark.parametrize("name", ["loaded", 'it\'s "quoted" \\', "a@b"])
def test_shown_code_loads_the_version(page: Page, served: Served, tmp_path: Path, name: str) -> None:
    versions_made(served.client, name, 2)
    served.client.set_registered_model_alias(name, "champion", 1)
    page.goto(served.address_of("/models"))
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("link", name="Version 1", exact=True).click()
    code = page.locator("pre").inner_text()
    assert Path(run_python(code, tmp_path).strip()) == tmp_path / "model" / "model.txt"
    assert (tmp_path / "model" / "model.txt").read_text() == "weights"
    (tmp_path / "model" / "model.txt").unlink()
    page.get_by_role("button", name="Shell").click()
    # It stays right when another version is promoted, where an alias can be told from the name.
    assert ("@champion" in page.locator("pre").inner_text()) == ("@" not in name)
    run_shell(page.locator("pre").inner_text(), tmp_path)
    assert (tmp_path / "model" / "model.txt").read_text() == "weights"


@pytest.mark.parametrize("is_secure", [True, False])
def test_code_is_copied(page: Page, served: Served, is_secure: bool) -> None:
    name = f"copied {is_secure}"
    versions_made(served.client, name, 1)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.process.url)
    if not is_secure:
        # As for pages that come by plain HTTP from another machine.
        page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page.goto(served.address_of(f"/models/{name}/versions/1"))
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("status").get_by_text("Copied")).to_be_attached()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("pre").inner_text()


def test_code_for_a_logged_model_loads_it_or_fetches_its_files(page: Page, served: Served, tmp_path: Path) -> None:
    model = served.client.create_logged_model("0", name="logged")
    (tmp_path / "weights").write_text("those of a logged model")
    served.client.upload_logged_model_artifact(model.model_id, tmp_path / "weights")
    served.client.create_registered_model("of-logged")
    served.client.create_model_version("of-logged", f"models:/{model.model_id}")
    page.goto(served.address_of("/models/of-logged/versions/1"))
    expect(page.locator("pre")).to_contain_text(f'mlflow.set_tracking_uri("{served.process.url}")')
    expect(page.locator("pre")).to_contain_text('mlflow.pyfunc.load_model("models:/of-logged/1")')
    page.get_by_role("button", name="Python").click()
    path = run_python(page.locator("pre").inner_text(), tmp_path).strip()
    assert (Path(path) / "weights").read_text() == "those of a logged model"
    (tmp_path / "in a shell").mkdir()
    page.get_by_role("button", name="Shell").click()
    expect(page.locator("pre")).to_contain_text("artifacts download models:/of-logged/1 ./model/")
    run_shell(page.locator("pre").inner_text(), tmp_path / "in a shell")
    assert (tmp_path / "in a shell" / "model" / "weights").read_text() == "those of a logged model"


# By one process, as MLflow takes its time to be imported.
LOGGED = """
import mlflow
from mlflow.pyfunc import PythonModel, log_model, save_model

class Twice(PythonModel):
    def predict(self, context, model_input, params=None):
        return [2 * each for each in model_input]

mlflow.set_tracking_uri("{url}")
with mlflow.start_run() as run:
    logged = log_model(name="twice", python_model=Twice())
    save_model("saved", python_model=Twice())
    mlflow.log_artifacts("saved", "saved")
mlflow.register_model(logged.model_uri, "of mlflow")
mlflow.register_model(f"runs:/{{run.info.run_id}}/saved", "of mlflow")
"""


@pytest.mark.timeout(300)
def test_models_of_mlflow_are_loaded_by_its_own_code(page: Page, served: Served, tmp_path: Path) -> None:
    run_python(LOGGED.format(url=served.process.url), tmp_path)
    for version, files in ((1, ["MLmodel"]), (2, ["saved", "MLmodel"])):
        page.goto(served.address_of(f"/models/of mlflow/versions/{version}"))
        code = page.locator("pre")
        expect(code).to_contain_text(f'mlflow.pyfunc.load_model("models:/of mlflow/{version}")')
        assert run_python(f"{code.inner_text()}\nprint(model.predict([21]))", tmp_path).strip() == "[42]"
        page.get_by_role("link", name="Look at its files").click()
        for name in files:
            expect(page.get_by_role("navigation", name="Artifacts").get_by_role("link", name=name)).to_be_visible()
        expect(page.get_by_role("link", name=f"of mlflow, version {version}")).to_be_visible()
    page.go_back()
    # The same files, for who has other means to load them.
    page.get_by_role("button", name="Python").click()
    path = run_python(code.inner_text(), tmp_path).strip()
    assert (Path(path) / "MLmodel").is_file()


def test_files_elsewhere_are_said_to_be_there(page: Page, served: Served) -> None:
    served.client.create_registered_model("remote")
    links = ("https://runs.example/1", "javascript:alert(1)")
    for link in links:
        served.client.create_model_version("remote", "s3://bucket/weights", run_link=link)
    page.goto(served.address_of("/models/remote/versions/1"))
    expect(page.get_by_text("s3://bucket/weights, outside of this server")).to_be_visible()
    expect(page.get_by_role("link", name=links[0])).to_have_attribute("href", links[0])
    # What isn't of the web is shown, and leads nowhere.
    page.goto(served.address_of("/models/remote/versions/2"))
    expect(page.get_by_text(links[1])).to_be_visible()
    expect(page.get_by_role("link", name=links[1])).to_have_count(0)


def test_source_run_is_shown_and_led_to(page: Page, served: Served) -> None:
    [run_id] = versions_made(served.client, "traced", 1)
    page.goto(served.address_of("/models/traced/versions/1"))
    link = page.get_by_role("link", name="traced-1")
    assert link.get_attribute("href") == f"#/experiments/0/runs/{run_id}"
    expect(page.get_by_role("row", name="learning_rate")).to_contain_text("0.1")
    expect(page.get_by_role("row", name="accuracy")).to_contain_text("0.95")


def test_signature_is_read_from_what_mlflow_writes(page: Page, served: Served) -> None:
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.double, "it's"),
        ColSpec(Array(DataType.long), "counts", required=False),
    ]
    columns += [ColSpec(DataType.string, f"column {number}") for number in range(20)]
    tensor = TensorSpec(np.dtype("float32"), (-1, 10))
    model = Model(signature=ModelSignature(inputs=Schema(columns), outputs=Schema([tensor])))
    [run_id] = versions_made(served.client, "signed", 1)
    for folder, text in (("model", model.to_yaml()), ("bad", "signature:\n  inputs: '[{\"type\"'\n")):
        served.client.upload_bytes(run_id, text.encode(), f"{folder}/MLmodel")
        served.client.create_model_version("signed", f"runs:/{run_id}/{folder}", run_id=run_id)
    page.goto(served.address_of("/models/signed/versions/2"))
    signature = page.get_by_role("region", name="Signature")
    expect(signature.get_by_role("row", name="it's")).to_contain_text("double")
    expect(signature.get_by_role("row", name="counts")).to_contain_text("array of long, optional")
    expect(signature.get_by_role("row", name="unnamed 1")).to_contain_text("float32 (-1, 10)")
    signature.get_by_role("button", name="Show all 22 inputs").click()
    expect(signature.get_by_role("row")).to_have_count(23)
    page.goto(served.address_of("/models/signed/versions/3"))
    expect(signature.get_by_role("alert")).to_contain_text("The signature in bad/MLmodel can’t be read")
    # A file beside which nothing is written has none.
    page.goto(served.address_of("/models/signed/versions/1"))
    expect(page.get_by_role("link", name="signed-1")).to_be_visible()
    expect(signature).to_have_count(0)


def test_alias_and_latest_lead_to_their_versions(page: Page, served: Served) -> None:
    versions_made(served.client, "led-to", 2)
    served.client.set_registered_model_alias("led-to", "champion", 1)
    page.goto(served.address_of("/models/led-to/versions/champion"))
    expect(page.get_by_role("heading", name="Version 1")).to_be_visible()
    page.goto(served.address_of("/models/led-to/versions/latest"))
    expect(page.get_by_role("heading", name="Version 2")).to_be_visible()
    page.goto(served.address_of("/models/led-to/versions/9"))
    expect(page.get_by_role("alert")).to_contain_text("model version 'led-to/9' does not exist")


def test_deleted_version_is_gone_from_its_model(page: Page, served: Served) -> None:
    versions_made(served.client, "pruned", 2)
    served.client.set_registered_model_alias("pruned", "champion", 2)
    page.goto(served.address_of("/models/pruned/versions/2"))
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("Whoever loads it as “champion” finds nothing.")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("rowheader")).to_have_text(["Version 1"])
    expect(page.get_by_text("None. Promote a version to give it one.")).to_be_visible()
    with pytest.raises(NotFoundError):
        served.client.get_model_version("pruned", 2)
