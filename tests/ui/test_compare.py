"""Runs beside each other in a table, as many as somebody selects."""

from playwright.sync_api import Page, expect
from tests.ui.browsing import Watch, violations
from tests.ui.conftest import OpenPage, Served

# As in compare/compared-runs.ts.
COMPARED_MAX = 1_000
MANY = 120


def make_runs(served: Served, experiment_id: str, count: int) -> list[str]:
    """Finished runs that differ in one param of two."""
    run_ids = []
    for number in range(count):
        params = {"same": "1", "seed": str(number)}
        run_id = served.client.create_run(experiment_id, run_name=f"run {number:03d}", params=params).run_id
        served.client.log_metrics(run_id, {"loss": number / 4}, step=1)
        served.client.update_run(run_id, status="FINISHED")
        run_ids.append(run_id)
    return run_ids


def open_compared(page: Page, served: Served, run_ids: list[str], query: str = "") -> None:
    page.goto(served.address_of(f"/compare-runs?runs={'~'.join(run_ids)}{query}"))


def test_many_runs_come_by_pages_and_stand_in_the_order_of_their_names(served: Served, open_page: OpenPage) -> None:
    first = make_runs(served, served.client.create_experiment("many").experiment_id, MANY)
    other = make_runs(served, served.client.create_experiment("many others").experiment_id, 3)
    served.client.delete_run(first[-1])
    run_ids = [*reversed(first), *other]
    page = open_page(served.address_of("/experiments"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_compared(page, served, run_ids)
    expect(page.get_by_role("heading", name=f"Compare {MANY + 3} runs")).to_be_visible()
    table = page.get_by_role("table", name="Compared runs")
    expect(table).to_have_attribute("aria-colcount", str(MANY + 4))
    expect(page.get_by_role("columnheader").nth(1)).to_have_text(f"run {MANY - 1:03d}")
    # A page each for 50 of one experiment, and the few runs by themselves that tell of which one the others are.
    assert sum(url.endswith("/GetRun") for url in asked) <= 16
    assert sum(url.endswith("/SearchRuns") for url in asked) <= 4
    table.evaluate("table => { table.scrollLeft = table.scrollWidth }")
    expect(page.get_by_role("columnheader").last).to_have_text("run 002")
    expect(page.get_by_role("row").filter(has_text="loss").get_by_role("cell").last).to_have_text("0.5")


def test_only_cells_in_sight_are_in_the_page(served: Served, open_page: OpenPage) -> None:
    run_ids = make_runs(served, served.client.create_experiment("in sight").experiment_id, 60)
    page = open_page(served.address_of("/experiments"))
    open_compared(page, served, run_ids)
    expect(page.get_by_role("rowheader", name="seed")).to_be_visible()
    assert page.get_by_role("columnheader").count() < 20
    assert violations(page) == []


def test_more_runs_than_can_be_compared_are_told_in_words(served: Served, open_page: OpenPage, watch: Watch) -> None:
    # None of them is there, which is told as well.
    watch.expect("answer: 404 .*GetRun")
    page = open_page(served.address_of("/experiments"))
    open_compared(page, served, [f"run-{number}" for number in range(COMPARED_MAX + 1)])
    expect(page.get_by_role("status")).to_contain_text("Of the 1,001 runs that are named, the first 1,000.")
    expect(page.get_by_role("alert")).to_contain_text("More than 100 of these runs do not exist, such as run-0.")


def test_runs_are_named_as_the_pages_of_models_name_them(served: Served, open_page: OpenPage) -> None:
    run_ids = make_runs(served, served.client.create_experiment("named").experiment_id, 2)
    page = open_page(served.address_of(f"/compare-runs?runs={','.join(run_ids)}"))
    expect(page.get_by_role("columnheader", name="run 001")).to_be_visible()


def test_run_that_goes_on_is_followed(served: Served, open_page: OpenPage) -> None:
    experiment_id = served.client.create_experiment("followed").experiment_id
    run_ids = make_runs(served, experiment_id, 60)
    live = served.client.create_run(experiment_id, run_name="goes on").run_id
    page = open_page(served.address_of("/experiments"))
    open_compared(page, served, [live, *run_ids])
    loss = page.get_by_role("row").filter(has_text="loss").get_by_role("cell").first
    expect(loss).to_have_text("not set")
    served.client.log_metrics(live, {"loss": 42.5}, step=1)
    expect(loss).to_have_text("42.5")
    expect(page.get_by_role("columnheader").nth(2)).to_have_text("run 000")


def test_run_that_is_gone_leaves_the_others(served: Served, open_page: OpenPage, watch: Watch) -> None:
    watch.expect("answer: 404 .*GetRun")
    run_ids = make_runs(served, served.client.create_experiment("one is gone").experiment_id, 2)
    page = open_page(served.address_of("/experiments"))
    open_compared(page, served, [run_ids[0], "gone", run_ids[1]])
    expect(page.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="There is no run gone.")).to_be_visible()
    expect(page.get_by_role("columnheader").nth(1)).to_have_text("run 000")
    expect(page.get_by_role("columnheader").nth(2)).to_have_text("run 001")
