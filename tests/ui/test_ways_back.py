"""Pages that lead back to where one was, and a server that is away for a while."""

from pathlib import Path

from playwright.sync_api import expect
from tests.conftest import ServerProcess
from tests.ui.browsing import Watch
from tests.ui.conftest import OpenPage
from tests.ui.listed import expect_names, make_runs, open_table

from trackwire import Client


def test_runs_and_comparisons_lead_back_to_the_experiment_as_it_was(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, _ = make_runs(client, "left")
    page = open_table(open_page, server, experiment_id, "view=table&filter=metrics.loss < 0.25&order=metrics.loss ASC")
    expect_names(page, ["run-0", "run-1", "run-2"])
    for name in ("run-0", "run-2"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("link", name="Back to the experiment").click()
    expect_names(page, ["run-0", "run-1", "run-2"])
    expect(page.get_by_role("checkbox", name="Select run-2")).to_be_checked()
    page.get_by_role("link", name="run-1").click()
    page.get_by_role("main").get_by_role("link", name="left").click()
    expect_names(page, ["run-0", "run-1", "run-2"])


def test_server_that_is_away_is_told_and_its_return_too(open_page: OpenPage, watch: Watch, tmp_path: Path) -> None:
    watch.allow("ERR_CONNECTION_REFUSED", "net::", "answer: 50")
    server = ServerProcess(tmp_path / "data", http_port="0")
    server.start()
    with Client(server.address) as client:
        experiment_id, _ = make_runs(client, "away")
    page = open_table(open_page, server, experiment_id)
    expect_names(page, ["run-3", "run-2", "run-1", "run-0"])
    told = page.get_by_text("The server doesn’t answer")
    expect(told).to_have_count(0)
    http_port = server.url.rpartition(":")[2]
    assert server.stop() == 0
    expect(told).to_be_visible()
    expect_names(page, ["run-3", "run-2", "run-1", "run-0"])
    again = ServerProcess(tmp_path / "data", http_port=http_port)
    again.start()
    expect(told).to_have_count(0)
    assert again.stop() == 0


def test_run_that_is_not_there_leads_to_the_experiments(
    open_page: OpenPage, watch: Watch, server: ServerProcess
) -> None:
    watch.expect("answer: 404")
    page = open_page(f"{server.url}/#/experiments/0/runs/nowhere")
    expect(page.get_by_role("alert")).to_contain_text("run 'nowhere' does not exist")
    page.get_by_role("link", name="See all experiments").click()
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()
