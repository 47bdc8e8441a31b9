"""The table of runs while they begin, change and end elsewhere: it is what the server has, without reloading."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect
from tests.conftest import ServerProcess
from tests.ui.conftest import OpenPage
from tests.ui.listed import expect_names, make_runs, names, open_table, row

from trackwire import Client

# Delays calls of a page: `window.slow` milliseconds each, by the name of their rpc.
SLOW = """
const real = window.fetch;
window.slow = {}; window.asked = [];
window.fetch = async (input, init) => {
  const rpc = String(input.url ?? input).split("/").pop();
  window.asked.push(rpc);
  if (window.slow[rpc]) await new Promise((done) => setTimeout(done, window.slow[rpc]));
  return real(input, init);
};
"""
# All that a page ever said where a chart will be: in `window.heard`.
HEARD = """
window.heard = [];
new MutationObserver(() => {
  for (const each of document.querySelectorAll(".plot-empty")) window.heard.push(each.textContent);
}).observe(document, { childList: true, characterData: true, subtree: true });
"""


@contextmanager
def at_an_asking(page: Page, rpc: str) -> Iterator[None]:
    """What is done within, and then the page asks for the rpc once more."""
    count = page.evaluate("rpc => window.asked.filter(each => each === rpc).length", rpc)
    yield
    page.wait_for_function(
        "([rpc, count]) => window.asked.filter(each => each === rpc).length > count", arg=[rpc, count]
    )


def test_run_that_no_longer_matches_leaves_the_table_and_one_that_does_comes(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("matching").experiment_id
    one, two = (client.create_run(experiment_id, run_name=name).run_id for name in ("one", "two"))
    client.log_metrics(two, {"loss": 2})
    client.log_metrics(one, {"loss": 0.25})
    page = open_table(open_page, server, experiment_id, "view=table&filter=metrics.loss < 1 AND status %3D 'RUNNING'")
    expect_names(page, ["one"])
    client.log_metrics(two, {"loss": 0.5}, step=1)
    expect_names(page, ["two", "one"])
    client.update_run(one, status="FINISHED")
    expect_names(page, ["two"])


def test_run_that_is_deleted_elsewhere_leaves_the_table(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, run_ids = make_runs(client, "deleted elsewhere")
    page = open_table(open_page, server, experiment_id)
    expect(names(page)).to_have_count(4)
    client.delete_run(run_ids[1])
    expect_names(page, ["run-3", "run-2", "run-0"])


def test_clock_that_is_ahead_hides_no_other_run(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("clock ahead").experiment_id
    client.create_run(experiment_id, run_name="ahead", start_time_ms=int(time.time() * 1000) + 3_600_000)
    page = open_table(open_page, server, experiment_id)
    expect_names(page, ["ahead"])
    client.create_run(experiment_id, run_name="new")
    expect(row(page, "new")).to_be_visible()


def test_of_many_runs_at_work_all_are_looked_after(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id = client.create_experiment("many at work").experiment_id
    begun_ms = int(time.time() * 1000) - 10_000_000
    run_ids = [
        client.create_run(experiment_id, run_name=f"run {number}", start_time_ms=begun_ms + number).run_id
        for number in range(210)
    ]
    page = open_table(open_page, server, experiment_id)
    expect(page.get_by_text("210 runs", exact=True)).to_be_visible()
    page.get_by_role("grid", name="Runs").press("End")
    expect(row(page, "run 0")).to_contain_text("Running")
    client.update_run(run_ids[0], status="FINISHED")
    expect(row(page, "run 0")).to_contain_text("Finished")


def test_keys_act_on_the_run_that_is_marked_though_another_begins(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id, _ = make_runs(client, "marked")
    page = open_table(open_page, server, experiment_id)
    expect_names(page, ["run-3", "run-2", "run-1", "run-0"])
    page.keyboard.press("j")
    page.keyboard.press("j")
    client.create_run(experiment_id, run_name="newcomer")
    expect(names(page)).to_have_count(5)
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox", name="Select run-2")).to_be_checked()
    expect(page.get_by_text("5 runs, 1 selected")).to_be_visible()


def test_charts_show_the_runs_that_are_chosen(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id, _ = make_runs(client, "chosen", 24)
    page = open_table(open_page, server, experiment_id, "view=both")
    chart = page.get_by_role("region", name="loss").get_by_role("img")
    expect(chart).to_have_attribute("aria-label", "loss of 20 series")
    page.get_by_role("button", name="Show all").click()
    expect(chart).to_have_attribute("aria-label", "loss of 24 series")
    page.get_by_role("checkbox", name="Select run-23").check()
    expect(chart).to_have_attribute("aria-label", "loss of 1 series")
    page.get_by_role("checkbox", name="Select run-22").check()
    expect(chart).to_have_attribute("aria-label", "loss of 2 series")
    page.get_by_role("checkbox", name="Select run-23").uncheck()
    page.get_by_role("checkbox", name="Select run-22").uncheck()
    expect(chart).to_have_attribute("aria-label", "loss of 24 series")
    box = page.get_by_role("combobox", name="Filter runs")
    box.fill("params.optimizer = 'sgd'")
    box.press("Enter")
    expect(chart).to_have_attribute("aria-label", "loss of 12 series")


def test_chart_misses_no_point_while_its_tail_is_opened_anew(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("tailed").experiment_id
    run_id = client.create_run(experiment_id, run_name="first").run_id
    client.log_metrics(run_id, {"loss": 1}, step=1)
    page = open_page("about:blank")
    page.add_init_script(SLOW)
    page.goto(f"{server.url}/#/experiments/{experiment_id}?view=both")
    page.wait_for_function("() => window.asked.includes('TailMetrics')")
    chart = page.locator(".line-chart")
    client.log_metrics(run_id, {"loss": 1}, step=10)
    expect(chart).to_have_attribute("data-to", "10")
    page.evaluate("window.slow.TailMetrics = 1500")
    with at_an_asking(page, "TailMetrics"):
        client.create_run(experiment_id, run_name="second")
    client.log_metrics(run_id, {"loss": 1}, step=20)
    expect(chart).to_have_attribute("data-to", "20")


def test_chart_that_is_being_read_says_nothing_wrong(
    open_page: OpenPage, server: ServerProcess, client: Client
) -> None:
    experiment_id = client.create_experiment("slow to read").experiment_id
    run_id = client.create_run(experiment_id).run_id
    client.log_metrics(run_id, {"loss": 1}, step=1)
    page = open_page("about:blank")
    page.add_init_script(f"{SLOW}; window.slow.ReadMetrics = 5000; {HEARD}")
    page.goto(f"{server.url}/#/experiments/{experiment_id}?view=both")
    expect(page.get_by_role("img", name="loss of 1 series")).to_be_visible()
    # The table was looked at again meanwhile, which draws the cards anew.
    assert page.evaluate("window.asked.filter(rpc => rpc === 'SearchRuns').length") > 2
    assert page.evaluate("window.heard").count("None of these runs has logged it.") == 0


def test_tab_leaves_a_filter_that_is_whole(open_page: OpenPage, server: ServerProcess, client: Client) -> None:
    experiment_id, _ = make_runs(client, "tabbed")
    page = open_table(open_page, server, experiment_id)
    expect_names(page, ["run-3", "run-2", "run-1", "run-0"])
    box = page.get_by_role("combobox", name="Filter runs")
    for text in ("metrics.loss < 0.15", "params.optimizer = 'adam' AND metrics.loss < 1e-1", "metrics.loss < 0.15 "):
        box.fill("")
        box.press_sequentially(text)
        box.press("Tab")
        expect(box).not_to_be_focused()
        expect(box).to_have_value(text)
    box.fill("")
    box.press_sequentially("metrics.lo")
    box.press("Tab")
    expect(box).to_have_value("metrics.loss ")
