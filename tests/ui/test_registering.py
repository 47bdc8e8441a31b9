"""What a run has logged becomes a version of a registered model, by buttons on the run's page."""

from pathlib import Path

import requests
from playwright.sync_api import Locator, Page, Route, expect
from tests.ui.browsing import Watch, take_pictures, violations
from tests.ui.conftest import Served

MODEL = {"nets/small/MLmodel": b"flavors: {}\n", "nets/small/weights.bin": b"\0" * 100, "notes.txt": b"read me"}


def run_with_model(served: Served, name: str = "trained") -> str:
    """A finished run with a model's folder and a file beside it; its id."""
    run_id: str = served.client.create_run("0", run_name=name).run_id
    for path, data in MODEL.items():
        served.client.upload_bytes(run_id, data, path)
    served.client.update_run(run_id, status="FINISHED")
    return run_id


def artifacts_of(served: Served, run_id: str, path: str = "") -> str:
    return served.address_of_run(run_id, f"?tab=artifacts&path={path}")


def asked(page: Page) -> Locator:
    return page.get_by_role("dialog")


def test_folder_of_a_model_becomes_versions(page: Page, served: Served, pictures: Path | None) -> None:
    run_id = run_with_model(served)
    page.goto(artifacts_of(served, run_id, "nets/small/"))
    page.get_by_role("button", name="Register model", exact=True).click()
    dialog = asked(page)
    expect(dialog.get_by_role("heading")).to_have_text("Register small")
    expect(dialog.get_by_role("button", name="Register", exact=True)).to_be_disabled()
    dialog.get_by_label("Registered model").fill("of a folder")
    expect(dialog).to_contain_text("A new model, with this as its first version.")
    dialog.get_by_label("Description of this version").fill("The first that converged.")
    assert violations(page) == []
    take_pictures(page, "register", pictures)
    dialog.get_by_role("button", name="Register", exact=True).click()
    link = page.get_by_role("link", name="of a folder, version 1")
    expect(link).to_be_visible()
    expect(dialog).to_have_count(0)
    stored = served.client.get_model_version("of a folder", 1)
    assert (stored.source, stored.run_id) == (f"runs:/{run_id}/nets/small", run_id)
    assert stored.description == "The first that converged."
    page.get_by_role("button", name="Register model", exact=True).click()
    dialog.get_by_label("Registered model").fill("of a f")
    expect(dialog.locator("datalist option")).to_have_text(["of a folder"])
    dialog.get_by_label("Registered model").fill("of a folder")
    expect(dialog).to_contain_text("It comes after version 1 of this model.")
    dialog.get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_role("link", name="of a folder, version 2")).to_be_visible()
    assert violations(page) == []
    take_pictures(page, "registered", pictures)
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Version 1")


def test_file_becomes_a_version_of_a_model_that_is_there(page: Page, served: Served) -> None:
    run_id = run_with_model(served)
    served.client.create_registered_model("of a file")
    page.goto(artifacts_of(served, run_id, "notes.txt"))
    page.get_by_role("button", name="Register as a model version").click()
    # Blanks at its ends are no part of a name.
    asked(page).get_by_label("Registered model").fill(" of a file ")
    expect(asked(page)).to_contain_text("It is the first version of this model.")
    asked(page).get_by_label("Registered model").press("Enter")
    expect(page.get_by_role("link", name="of a file, version 1")).to_be_visible()
    assert served.client.get_model_version("of a file", 1).source == f"runs:/{run_id}/notes.txt"
    # At other files nothing is said of it.
    page.get_by_role("link", name="Folder nets").or_(page.get_by_role("link", name="nets")).first.click()
    expect(page.get_by_role("button", name="Register as a model version")).to_be_visible()
    expect(page.get_by_role("link", name="of a file, version 1")).to_have_count(0)


def test_logged_model_is_registered_from_the_overview(page: Page, served: Served) -> None:
    run_id = run_with_model(served)
    model = served.client.create_logged_model("0", name="classifier", source_run_id=run_id)
    page.goto(served.address_of_run(run_id))
    models = page.get_by_role("region", name="Models", exact=True)
    models.get_by_role("button", name="Register model").click()
    expect(asked(page).get_by_role("heading")).to_have_text("Register classifier")
    asked(page).get_by_label("Registered model").fill("of a logged model")
    asked(page).get_by_role("button", name="Register", exact=True).click()
    expect(models.get_by_role("link", name="of a logged model, version 1")).to_be_visible()
    expect(page.get_by_role("region", name="Registered versions")).to_contain_text("of a logged model, version 1")
    stored = served.client.get_model_version("of a logged model", 1)
    assert (stored.source, stored.model_id, stored.run_id) == (f"models:/{model.model_id}", model.model_id, run_id)
    assert stored.storage_location == model.artifact_uri
    assert violations(page) == []


def test_logged_model_is_registered_from_its_files(page: Page, served: Served) -> None:
    run_id = run_with_model(served)
    model = served.client.create_logged_model("0", name="filed", source_run_id=run_id)
    place = f"0/models/{model.model_id}/artifacts/MLmodel"
    proxy = f"{served.url}/api/2.0/mlflow-artifacts/artifacts"
    assert requests.put(f"{proxy}/{place}", b"flavors: {}\n", timeout=30).ok
    page.goto(served.address_of_run(run_id, f"?tab=artifacts&model={model.model_id}"))
    page.get_by_role("button", name="Register model").click()
    asked(page).get_by_label("Registered model").fill("of its files")
    asked(page).get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_role("link", name="of its files, version 1")).to_be_visible()
    # It is registered as a whole.
    page.get_by_role("link", name="MLmodel").click()
    expect(page.get_by_role("region", name="MLmodel", exact=True)).to_contain_text("flavors")
    expect(page.get_by_role("button", name="Register")).to_have_count(0)
    expect(page.get_by_text("Files of the logged model filed.")).to_be_visible()
    page.get_by_role("link", name="See those of the run").click()
    expect(page.get_by_role("link", name="notes.txt")).to_be_visible()


def test_name_that_the_server_refuses_is_told_and_mended(page: Page, served: Served) -> None:
    run_id = run_with_model(served)
    page.goto(artifacts_of(served, run_id, "notes.txt"))
    page.get_by_role("button", name="Register as a model version").click()
    asked(page).get_by_label("Registered model").fill("mended/or not")
    asked(page).get_by_role("button", name="Register", exact=True).click()
    expect(asked(page).get_by_role("alert")).to_contain_text('name: \'mended/or not\': must not contain "/" or ":"')
    asked(page).get_by_label("Registered model").fill("mended")
    asked(page).get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_role("link", name="mended, version 1")).to_be_visible()


def test_answer_that_is_lost_makes_no_second_version(page: Page, served: Served, watch: Watch) -> None:
    run_id = run_with_model(served)
    watch.expect("failed: POST .*/CreateModelVersion")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/CreateModelVersion", lose, times=1)
    page.goto(artifacts_of(served, run_id, "notes.txt"))
    page.get_by_role("button", name="Register as a model version").click()
    asked(page).get_by_label("Registered model").fill("made once")
    asked(page).get_by_role("button", name="Register", exact=True).click()
    expect(asked(page).get_by_role("alert")).to_be_visible()
    asked(page).get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_role("link", name="made once, version 1")).to_be_visible()
    assert [each.version for each in served.client.search_model_versions("name = 'made once'")] == [1]


def test_versions_that_clients_have_registered_are_shown_where_their_files_are(page: Page, served: Served) -> None:
    run_id = run_with_model(served)
    served.client.create_registered_model("by mlflow")
    # What MLflow's clients call it.
    source = f"{served.client.get_run(run_id).artifact_uri}/nets/small"
    served.client.create_model_version("by mlflow", source, run_id=run_id)
    page.goto(artifacts_of(served, run_id, "nets/small/"))
    expect(page.get_by_role("link", name="by mlflow, version 1")).to_be_visible()
    page.get_by_role("link", name="nets").click()
    expect(page.get_by_role("button", name="Register as a model version")).to_be_visible()
    expect(page.get_by_role("link", name="by mlflow, version 1")).to_have_count(0)


def test_deleted_run_has_nothing_to_register(page: Page, served: Served) -> None:
    run_id = run_with_model(served)
    served.client.create_logged_model("0", name="left", source_run_id=run_id)
    served.client.delete_run(run_id)
    page.goto(served.address_of_run(run_id))
    expect(page.get_by_role("region", name="Models", exact=True)).to_contain_text("left")
    expect(page.get_by_role("button", name="Register")).to_have_count(0)


def test_chosen_file_stays_one_line_after_a_look_at_models(page: Page, served: Served) -> None:
    run_id = run_with_model(served)
    # Styles of pages that are loaded later come on top, and stay.
    page.goto(served.address_of("/models"))
    expect(page.get_by_role("heading", name="Models")).to_be_visible()
    page.goto(artifacts_of(served, run_id, "notes.txt"))
    row = page.locator(".tree-row.chosen")
    expect(row).to_contain_text("7 B")
    expect(row).to_have_css("flex-direction", "row")
