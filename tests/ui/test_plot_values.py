"""What plots make of values: keys that JavaScript's objects have too, what is no number, numbers near each other."""

from collections.abc import Iterable, Mapping

from playwright.sync_api import Page, expect
from tests.ui.conftest import OpenPage, Served

Given = tuple[Mapping[str, str], Mapping[str, float]]


def make_runs(served: Served, given: Iterable[Given]) -> list[str]:
    """Finished runs with these params and metrics: `run 0` and so on."""
    made = []
    for number, (params, metrics) in enumerate(given):
        run_id = served.client.create_run("0", run_name=f"run {number}", params=dict(params)).run_id
        if metrics:
            served.client.log_metrics(run_id, dict(metrics), step=1)
        served.client.update_run(run_id, status="FINISHED")
        made.append(run_id)
    return made


def open_plot(open_page: OpenPage, served: Served, run_ids: list[str], query: str) -> Page:
    return open_page(served.address_of(f"/compare-runs?runs={'~'.join(run_ids)}&{query}"))


def tick_places(page: Page) -> list[tuple[str, float, float]]:
    """Of each tick of a scatter plot its words and where it stands."""
    placed: list[tuple[str, float, float]] = page.locator(".axis-tick").evaluate_all(
        """all => all.map(tick => {
            const [, left, top] = tick.parentNode.getAttribute("transform").match(/translate\\((\\S+) (\\S+)\\)/);
            return [tick.textContent, Number(left), Number(top)];
        })"""
    )
    return placed


def test_params_may_be_called_as_what_objects_have(open_page: OpenPage, served: Served) -> None:
    names = ["constructor", "toString", "valueOf"]
    run_ids = make_runs(served, [({}, {"loss": 1}), (dict.fromkeys(names, "5"), {"loss": 2})])
    page = open_plot(open_page, served, run_ids, "view=parallel&axes=param:constructor~param:toString~metric:loss")
    shown = page.get_by_role("group", name="Parallel coordinates", exact=True)
    shown.press("End")
    expect(shown.get_by_role("status")).to_contain_text("constructor: not set")
    page.get_by_role("tab", name="Table").click()
    for name in names:
        cells = page.get_by_role("row").filter(has_text=name).get_by_role("cell")
        expect(cells).to_have_text(["not set", "5"])


def test_lines_that_say_the_same_are_told_once_each(open_page: OpenPage, served: Served) -> None:
    run_ids = make_runs(served, [({"size": str(n)}, {"size": n, "loss": n}) for n in range(6)])
    page = open_plot(open_page, served, run_ids, "view=parallel&axes=param:size~metric:size~metric:loss")
    shown = page.get_by_role("group", name="Parallel coordinates", exact=True)
    lines = shown.get_by_role("status").locator("span")
    for number in reversed(range(6)):
        shown.press("ArrowRight")
        expect(lines.last).to_have_text(f"loss: {number}")
        expect(lines).to_have_count(2)


def test_value_that_is_no_finite_number_is_told(open_page: OpenPage, served: Served) -> None:
    values = [1.0, float("nan"), float("inf"), float("-inf")]
    run_ids = make_runs(served, [*(({}, {"loss": value}) for value in values), ({"other": "1"}, {})])
    page = open_plot(open_page, served, run_ids, "view=bars&bar=metric:loss")
    bars = page.get_by_role("list", name="loss").get_by_role("listitem")
    expect(bars).to_contain_text(["1", "NaN", "∞", "−∞", "not set"])
    expect(page.locator(".bar-fill")).to_have_count(1)
    page.get_by_role("tab", name="Parallel coordinates").click()
    shown = page.get_by_role("group", name="Parallel coordinates", exact=True)
    for number, words in ((0, "loss: 1"), (1, "loss: NaN"), (2, "loss: ∞"), (3, "loss: −∞"), (4, "loss: not set")):
        shown.press("ArrowRight")
        expect(shown.get_by_role("status")).to_contain_text(f"run {number}")
        expect(shown.get_by_role("status")).to_contain_text(words)


def test_param_that_is_no_finite_number_leaves_an_axis_of_numbers(open_page: OpenPage, served: Served) -> None:
    run_ids = make_runs(served, [({"rate": rate}, {"loss": 1}) for rate in ("1", "nan", "inf", "2")])
    page = open_plot(open_page, served, run_ids, "view=scatter&px=param:rate&py=metric:loss")
    expect(page.get_by_text("2 runs of 4 have no number there.")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Logarithmic rate")).to_be_enabled()


def test_numbers_among_words_keep_their_order(open_page: OpenPage, served: Served) -> None:
    sizes = ("128", "None", "16", "8", "0.5", "0.25", "layer10", "layer2", "-1", "1e3")
    run_ids = make_runs(served, [({"size": size}, {"loss": 1}) for size in sizes])
    page = open_plot(open_page, served, run_ids, "view=parallel&axes=param:size")
    ordered = ["-1", "0.25", "0.5", "8", "16", "128", "1e3", "layer2", "layer10", "None"]
    expect(page.locator(".axis-tick")).to_have_text(ordered)


def test_large_numbers_near_each_other_have_ticks_of_their_own(open_page: OpenPage, served: Served) -> None:
    first = 1_790_000_000_001
    run_ids = make_runs(served, [({"step": str(n)}, {"saved": float(first + n)}) for n in range(5)])
    page = open_plot(open_page, served, run_ids, "view=scatter&px=param:step&py=metric:saved")
    up = page.locator(".axis-tick[text-anchor=end]")
    expect(up).to_have_text([f"{first + n:,}" for n in range(5)])
    ticks = tick_places(page)
    assert len({(left, top) for _, left, top in ticks}) == len(ticks)
    box = page.get_by_role("group", name="saved by step").bounding_box()
    assert box is not None
    assert all(0 <= left <= box["width"] and 0 <= top <= box["height"] for _, left, top in ticks)
    page.get_by_role("tab", name="Parallel coordinates").click()
    # Where there is less room the last digits tell them apart.
    along = page.get_by_role("group", name="Parallel coordinates", exact=True).locator(".axis-tick")
    expect(along.filter(has_text="…")).to_have_text([f"…{f'{first + n:,}'[-13:]}" for n in range(5)])


def test_numbers_with_none_between_them_have_ticks_at_their_ends(open_page: OpenPage, served: Served) -> None:
    near = [1.0, 1.0000000000000002]
    run_ids = make_runs(served, [({"step": str(n)}, {"loss": value}) for n, value in enumerate(near)])
    page = open_plot(open_page, served, run_ids, "view=scatter&px=param:step&py=metric:loss")
    expect(page.locator(".axis-tick[text-anchor=end]")).to_have_text(["1", "1.0000000000000002"])


def test_small_steps_have_short_ticks(open_page: OpenPage, served: Served) -> None:
    run_ids = make_runs(served, [({"step": str(n)}, {"loss": value}) for n, value in enumerate((1e-30, 4e-30))])
    page = open_plot(open_page, served, run_ids, "view=scatter&px=param:step&py=metric:loss")
    expect(page.locator(".axis-tick[text-anchor=end]")).to_have_text(["1e-30", "2e-30", "3e-30", "4e-30"])


def test_key_that_is_gone_is_named(open_page: OpenPage, served: Served) -> None:
    run_ids = make_runs(served, [({"size": str(n)}, {"loss": n}) for n in range(2)])
    page = open_plot(open_page, served, run_ids, "view=scatter&px=param:gone&py=metric:loss")
    expect(page.get_by_role("heading", name="No run has the param gone: choose another")).to_be_visible()
    expect(page.get_by_role("combobox", name="Across")).to_have_value("param:gone")
    page.get_by_role("combobox", name="Across").select_option("size")
    expect(page.get_by_role("group", name="loss by size")).to_be_visible()
    page.get_by_role("tab", name="Bars").click()
    page.evaluate("location.hash += '&bar=metric:gone'")
    expect(page.get_by_role("heading", name="No run has the metric gone: choose another")).to_be_visible()


def test_last_axis_can_not_be_taken_away(open_page: OpenPage, served: Served) -> None:
    run_ids = make_runs(served, [({"size": str(n)}, {"loss": n}) for n in range(2)])
    page = open_plot(open_page, served, run_ids, "view=parallel&axes=param:size~metric:loss")
    page.get_by_role("button", name="Axes").click()
    size = page.get_by_role("checkbox", name="size", exact=True)
    page.get_by_role("checkbox", name="loss", exact=True).uncheck()
    expect(size).to_be_disabled()
    expect(size).to_be_checked()
    page.get_by_role("checkbox", name="loss", exact=True).check()
    expect(size).to_be_enabled()


def test_runs_are_plotted_by_the_best_that_a_metric_was(open_page: OpenPage, served: Served) -> None:
    run_ids = make_runs(served, [({}, {"loss": 1.0}), ({}, {"loss": 2.0})])
    for step, value in enumerate((8.0, 0.5), 1):
        served.client.log_metrics(run_ids[0], {"loss": value}, step=step)
    page = open_plot(open_page, served, run_ids, "view=bars")
    bars = page.get_by_role("list", name="loss").get_by_role("listitem")
    expect(bars).to_contain_text(["2", "0.5"])
    page.get_by_role("combobox", name="Of").select_option("loss max")
    expect(bars).to_contain_text(["8", "2"])
    page.reload()
    expect(bars).to_contain_text(["8", "2"])
