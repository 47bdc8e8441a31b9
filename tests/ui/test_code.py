"""Code that pages show runs as it stands there, whichever ports the server has and however it is guarded."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.access.guarded import guarded_server
from tests.conftest import ServerProcess
from tests.ui.browsing import Watch, violations
from tests.ui.conftest import OpenPage, Served
from tests.ui.registered import logged_run, run_python, run_shell, versions_made

from trackwire import Client

MakeServer = Callable[..., ServerProcess]


def code_of(page: Page) -> str:
    code = page.get_by_role("main").locator("pre")
    expect(code).to_be_visible()
    return code.inner_text()


def test_first_run_of_an_experiment_is_logged_by_what_its_page_says(page: Page, served: Served, tmp_path: Path) -> None:
    made = served.client.create_experiment('the "first" run')
    page.goto(served.address_of(f"/experiments/{made.experiment_id}"))
    run_python(code_of(page), tmp_path)
    page.reload()
    expect(page.get_by_text("1 run", exact=True)).to_be_visible()


def test_first_version_of_a_model_is_registered_by_what_its_page_says(
    page: Page, served: Served, tmp_path: Path
) -> None:
    served.client.create_registered_model("without versions")
    run_id = logged_run(served.client)
    page.goto(served.address_of("/models/without%20versions"))
    run_python(code_of(page).replace("RUN_ID/PATH", f"{run_id}/model.txt"), tmp_path)
    page.reload()
    expect(page.get_by_role("link", name="Version 1")).to_be_visible()


def test_folder_of_a_logged_model_is_fetched_by_what_its_page_says(page: Page, served: Served, tmp_path: Path) -> None:
    model = served.client.create_logged_model("0", name="logged")
    (tmp_path / "weights").write_text("learned")
    served.client.upload_logged_model_artifact(model.model_id, tmp_path / "weights", "layer 1/weights")
    page.goto(served.address_of(f"/experiments/0/models/{model.model_id}?path=layer%201/"))
    run_shell(code_of(page), tmp_path)
    assert (tmp_path / "layer 1" / "weights").read_text() == "learned"


def test_code_names_where_the_server_is_said_to_be(page: Page, make_server_process: MakeServer) -> None:
    server = make_server_process("--http-port", "0", "--grpc-uri", "grpcs://tracker.example:443")
    server.start()
    page.goto(f"{server.url}/#/models")
    assert 'trackwire.set_tracking_uri("grpcs://tracker.example:443")' in code_of(page)


def test_page_by_another_name_has_code_with_that_name(page: Page, served: Served, tmp_path: Path) -> None:
    versions_made(served.client, "by a name", 1)
    port = served.process.address.rpartition(":")[2]
    page.goto(served.address_of("/models/by a name/versions/1").replace("127.0.0.1", "localhost"))
    assert f'"localhost:{port}"' in code_of(page)
    path = run_python(code_of(page), tmp_path).strip()
    assert Path(path).read_text() == "weights"


def test_code_of_a_guarded_server_speaks_tls_and_says_where_the_token_goes(
    open_page: OpenPage, watch: Watch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    guarded = guarded_server(tmp_path)
    guarded.server.start()
    guarded.trust(monkeypatch, "write")
    with Client(guarded.address) as client:
        versions_made(client, "guarded", 1)
    watch.expect("answer: 401")
    page = open_page(f"{guarded.url}/#/models/guarded/versions/1", ignore_https_errors=True)
    page.get_by_role("dialog").get_by_label("Token").fill(guarded.secrets["read"])
    page.get_by_role("dialog").get_by_role("button", name="Go on").click()
    assert f'trackwire.set_tracking_uri("{guarded.address}")' in code_of(page)
    expect(page.get_by_text(re.compile("This server asks for a token.*TRACKWIRE_TOKEN"))).to_be_visible()
    assert violations(page) == []
    (tmp_path / "here").mkdir()
    page.get_by_role("button", name="Shell").click()
    run_shell(code_of(page), tmp_path / "here", guarded.environment("write"))
    assert (tmp_path / "here" / "model" / "model.txt").read_text() == "weights"
    assert guarded.server.stop() == 0
