"""Runs as points, lines and bars: their axes, their colours, and the one that is pointed at."""

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from tests.ui.browsing import THEMES, Theme, violations
from tests.ui.conftest import OpenPage, Served

RATES = ("0.0001", "0.001", "0.01", "0.1")
LOSSES = (0.4, 0.2, 0.9, 1.4)
OPTIMIZERS = ("adam", "sgd", "adam", "lion")


@pytest.fixture
def run_ids(served: Served) -> list[str]:
    """Runs of a small sweep; the last one had no rate, and the next to last a rate of zero."""
    rows = [*zip(RATES, LOSSES, OPTIMIZERS, strict=True), ("0", 0.7, "adam"), (None, 0.8, "adam")]
    made = []
    for number, (rate, loss, optimizer) in enumerate(rows):
        params = {"optimizer": optimizer} if rate is None else {"lr": rate, "optimizer": optimizer}
        run_id = served.client.create_run("0", run_name=f"sweep {number}", params=params).run_id
        served.client.log_metrics(run_id, {"loss": loss, "below": -loss}, step=1)
        served.client.update_run(run_id, status="FINISHED")
        made.append(run_id)
    return made


def open_plot(open_page: OpenPage, served: Served, run_ids: list[str], query: str, theme: Theme = "light") -> Page:
    page = open_page(served.address_of(f"/compare-runs?runs={'~'.join(run_ids)}&{query}"), theme)
    expect(page.get_by_role("link", name="Back to the experiment")).to_be_visible()
    return page


def plot(page: Page, name: str) -> Locator:
    """A plot, once something is drawn."""
    shown = page.get_by_role("group", name=name, exact=True)
    expect(shown.get_by_role("img")).to_be_visible()
    page.wait_for_function(
        "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)",
        arg=shown.locator("canvas").element_handle(),
    )
    return shown


def test_axes_have_round_numbers(open_page: OpenPage, served: Served, run_ids: list[str]) -> None:
    page = open_plot(open_page, served, run_ids, "view=scatter&px=param:lr&py=metric:loss")
    ticks = plot(page, "loss by lr").locator(".axis-tick")
    across, up = ["0", "0.02", "0.04", "0.06", "0.08", "0.1"], ["0", "0.5", "1", "1.5"]
    expect(ticks).to_have_text([*across, *up])


def test_logarithmic_axis_has_powers_of_ten_and_is_in_the_address(
    open_page: OpenPage, served: Served, run_ids: list[str]
) -> None:
    page = open_plot(open_page, served, run_ids[:4], "view=scatter&px=param:lr&py=metric:below")
    page.get_by_role("checkbox", name="Logarithmic lr").check()
    ticks = plot(page, "below by lr").locator(".axis-tick")
    expect(ticks).to_have_text(["1e-4", "0.001", "0.01", "0.1", "-1.5", "-1", "-0.5", "0"])
    assert "log=param%3Alr" in page.url
    expect(page.get_by_role("checkbox", name="Logarithmic below")).to_be_disabled()
    page.reload()
    expect(ticks.first).to_have_text("1e-4")
    page.get_by_role("combobox", name="Up").select_option("lr")
    page.get_by_role("combobox", name="Across").select_option("optimizer")
    expect(plot(page, "lr by optimizer").locator(".axis-tick")).to_have_text(
        ["adam", "lion", "sgd", "1e-4", "0.001", "0.01", "0.1"]
    )


def test_few_decades_have_ticks_between_powers_of_ten(open_page: OpenPage, served: Served, run_ids: list[str]) -> None:
    page = open_plot(open_page, served, run_ids, "view=scatter&px=param:optimizer&py=metric:loss&log=metric:loss")
    ticks = plot(page, "loss by optimizer").locator(".axis-tick")
    expect(ticks).to_have_text(["adam", "lion", "sgd", "0.2", "0.5", "1", "2"])


def test_runs_without_a_place_are_told_in_words(open_page: OpenPage, served: Served, run_ids: list[str]) -> None:
    page = open_plot(open_page, served, run_ids, "view=scatter&px=param:lr&py=metric:loss")
    expect(page.get_by_text("1 run of 6 has no number there.")).to_be_visible()
    page.get_by_role("checkbox", name="Logarithmic lr").check()
    expect(page.get_by_text("2 runs of 6 have no number there, or none above zero.")).to_be_visible()


def test_point_that_the_mouse_is_near_is_told_and_opened(
    open_page: OpenPage, served: Served, run_ids: list[str]
) -> None:
    page = open_plot(open_page, served, run_ids, "view=scatter&px=param:lr&py=metric:loss")
    shown = plot(page, "loss by lr")
    box = shown.bounding_box()
    assert box is not None
    # The rate of 0.1 is the right end of the axis, and the loss of 1.4 is just below its upper one.
    page.mouse.move(box["x"] + box["width"] - 24, box["y"] + 44)
    told = shown.get_by_role("status")
    expect(told).to_contain_text("sweep 3")
    expect(told).to_contain_text("lr: 0.1")
    expect(told).to_contain_text("loss: 1.4")
    page.mouse.click(box["x"] + box["width"] - 24, box["y"] + 44)
    expect(page.get_by_role("heading", name="sweep 3")).to_be_visible()


def test_keys_go_from_point_to_point_and_open_a_run(open_page: OpenPage, served: Served, run_ids: list[str]) -> None:
    page = open_plot(open_page, served, run_ids, "view=scatter&px=param:lr&py=metric:loss")
    shown = plot(page, "loss by lr")
    told = shown.get_by_role("status")
    shown.press("ArrowRight")
    expect(told).to_contain_text("sweep 4")
    shown.press("ArrowRight")
    expect(told).to_contain_text("sweep 0")
    shown.press("End")
    expect(told).to_contain_text("sweep 3")
    shown.press("Escape")
    expect(told).to_be_empty()
    shown.press("Home")
    shown.press("Enter")
    expect(page.get_by_role("heading", name="sweep 4")).to_be_visible()


def test_colours_tell_a_metric_or_words(open_page: OpenPage, served: Served, run_ids: list[str]) -> None:
    page = open_plot(open_page, served, run_ids, "view=scatter&px=param:lr&py=metric:loss")
    picture = "canvas => canvas.toDataURL()"
    canvas = plot(page, "loss by lr").locator("canvas")
    own = canvas.evaluate(picture)
    page.get_by_role("combobox", name="Colour").select_option("optimizer")
    expect(page.get_by_role("list", name="Colours").get_by_role("listitem")).to_have_text(["adam", "lion", "sgd"])
    page.wait_for_function(f"([canvas, last]) => ({picture})(canvas) !== last", arg=[canvas.element_handle(), own])
    words = canvas.evaluate(picture)
    page.get_by_role("combobox", name="Colour").select_option("below")
    expect(page.locator(".legend-ramp")).to_have_text("-1.50")
    page.wait_for_function(f"([canvas, last]) => ({picture})(canvas) !== last", arg=[canvas.element_handle(), words])
    assert "color=metric%3Abelow" in page.url


def test_drag_along_an_axis_keeps_the_runs_that_pass(open_page: OpenPage, served: Served, run_ids: list[str]) -> None:
    page = open_plot(open_page, served, run_ids, "view=parallel&axes=param:optimizer~metric:loss")
    shown = plot(page, "Parallel coordinates")
    brush = shown.locator(".brush").last.bounding_box()
    assert brush is not None
    middle = brush["x"] + brush["width"] / 2
    # The axis goes from 0 to 1.5: its upper half has the losses 0.8, 0.9 and 1.4.
    page.mouse.move(middle, brush["y"] + 2)
    page.mouse.down()
    page.mouse.move(middle, brush["y"] + brush["height"] * 0.3)
    page.mouse.move(middle, brush["y"] + brush["height"] * 0.5)
    page.mouse.up()
    expect(page.get_by_text("3 of 6 runs")).to_be_visible()
    # Keys go to those alone, from the highest.
    shown.press("Home")
    expect(shown.get_by_role("status")).to_contain_text("sweep 3")
    shown.press("End")
    expect(shown.get_by_role("status")).to_contain_text("sweep 5")
    page.get_by_role("button", name="Keep all").click()
    expect(page.get_by_text("6 of 6 runs")).to_be_visible()


def drag(page: Page, axis: Locator, start: float, end: float) -> None:
    """Along an axis, from one share of its height to another, from below."""
    box = axis.bounding_box()
    assert box is not None
    middle, bottom, height = box["x"] + box["width"] / 2, box["y"] + box["height"] - 8, box["height"] - 16
    page.mouse.move(middle, bottom - height * start)
    page.mouse.down()
    page.mouse.move(middle, bottom - height * (start + end) / 2)
    page.mouse.move(middle, bottom - height * end)
    page.mouse.up()


def test_what_is_kept_are_values_on_any_scale(open_page: OpenPage, served: Served, run_ids: list[str]) -> None:
    page = open_plot(open_page, served, run_ids, "view=parallel&axes=param:optimizer~metric:loss")
    drag(page, plot(page, "Parallel coordinates").locator(".brush").last, 0.5, 1)
    expect(page.get_by_text("3 of 6 runs")).to_be_visible()
    page.get_by_role("button", name="Axes").click()
    page.get_by_role("checkbox", name="Logarithmic loss").check()
    expect(page.locator(".axis-tick").last).to_have_text("2")
    expect(page.get_by_text("3 of 6 runs")).to_be_visible()
    # A run that stretches the scale leaves them what they are.
    far = served.client.create_run("0", run_name="far", params={"optimizer": "adam"}).run_id
    served.client.log_metrics(far, {"loss": 100.0}, step=1)
    page.goto(page.url.replace("runs=", f"runs={far}~"))
    expect(page.get_by_text("3 of 7 runs")).to_be_visible()


def test_what_is_kept_is_in_the_address(open_page: OpenPage, served: Served, run_ids: list[str]) -> None:
    page = open_plot(open_page, served, run_ids, "view=parallel&axes=param:optimizer~metric:loss")
    axes = plot(page, "Parallel coordinates").locator(".brush")
    drag(page, axes.first, 0.4, 1)
    expect(page.get_by_text("2 of 6 runs")).to_be_visible()
    drag(page, axes.last, 0, 0.3)
    expect(page.get_by_text("1 of 6 runs")).to_be_visible()
    page.get_by_role("tab", name="Scatter").click()
    page.get_by_role("tab", name="Parallel coordinates").click()
    expect(page.get_by_text("1 of 6 runs")).to_be_visible()
    page.reload()
    expect(page.get_by_text("1 of 6 runs")).to_be_visible()
    # A click lets go.
    axes.last.click()
    expect(page.get_by_text("2 of 6 runs")).to_be_visible()
    page.get_by_role("button", name="Keep all").click()
    expect(page.get_by_text("6 of 6 runs")).to_be_visible()
    assert "kept" not in page.url


@pytest.mark.parametrize("theme", THEMES)
def test_ranges_are_set_by_keys(open_page: OpenPage, served: Served, run_ids: list[str], theme: Theme) -> None:
    page = open_plot(open_page, served, run_ids, "view=parallel&axes=param:optimizer~metric:loss", theme)
    page.get_by_role("button", name="Ranges").press("Enter")
    loss = page.get_by_role("group", name="loss")
    loss.get_by_role("spinbutton", name="From").fill("0.4")
    expect(page.get_by_text("5 of 6 runs")).to_be_visible()
    loss.get_by_role("spinbutton", name="To").fill("0.9")
    expect(page.get_by_text("4 of 6 runs")).to_be_visible()
    optimizer = page.get_by_role("group", name="optimizer")
    optimizer.get_by_role("combobox", name="From").select_option("lion")
    expect(page.get_by_text("0 of 6 runs")).to_be_visible()
    optimizer.get_by_role("combobox", name="From").select_option("Any")
    expect(page.get_by_text("4 of 6 runs")).to_be_visible()
    assert violations(page) == []
    loss.get_by_role("spinbutton", name="To").fill("")
    expect(page.get_by_text("5 of 6 runs")).to_be_visible()


def test_axes_are_chosen_and_made_logarithmic(open_page: OpenPage, served: Served, run_ids: list[str]) -> None:
    page = open_plot(open_page, served, run_ids[:4], "view=parallel&axes=param:optimizer")
    page.get_by_role("button", name="Axes").click()
    page.get_by_role("checkbox", name="lr", exact=True).check()
    page.get_by_role("checkbox", name="Logarithmic lr").check()
    page.keyboard.press("Escape")
    shown = plot(page, "Parallel coordinates")
    expect(shown.locator(".axis-tick")).to_have_text(["adam", "lion", "sgd", "1e-4", "0.001", "0.01", "0.1"])


def test_bars_have_their_order_and_only_those_in_sight_are_in_the_page(open_page: OpenPage, served: Served) -> None:
    experiment_id = served.client.create_experiment("bars").experiment_id
    run_ids = []
    for number in range(80):
        run_id = served.client.create_run(experiment_id, run_name=f"run {number}").run_id
        served.client.log_metrics(run_id, {"score": float(number % 79)}, step=1)
        run_ids.append(run_id)
    page = open_plot(open_page, served, run_ids, "view=bars")
    bars = page.get_by_role("list", name="score").get_by_role("listitem")
    expect(bars.first).to_contain_text("run 78")
    assert bars.count() < 60
    page.get_by_role("group", name="Bars").press("End")
    expect(bars.last).to_contain_text("run 79")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("view", ["parallel", "scatter", "bars"])
def test_coloured_plots_are_accessible(
    open_page: OpenPage, served: Served, run_ids: list[str], theme: Theme, view: str
) -> None:
    page = open_plot(open_page, served, run_ids, f"view={view}&color=metric:loss&px=param:lr&py=metric:loss", theme)
    expect(page.locator(".legend-ramp")).to_be_visible()
    assert violations(page) == []


# What stands above a plot in its picture, and below.
HEAD, LINE, FOOT = 30, 18, 12
GROUNDS = {"light": (255, 255, 255), "dark": (0x17, 0x1B, 0x22)}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("view", "group", "name", "lines"),
    [
        ("view=parallel&axes=param:optimizer~metric:loss", "Parallel coordinates", "Parallel-coordinates.png", 6),
        ("view=scatter&px=param:lr&py=metric:loss&color=param:optimizer", "loss by lr", "loss-by-lr.png", 1 + 3),
        ("view=scatter&px=param:lr&py=metric:loss&color=metric:loss", "loss by lr", "loss-by-lr.png", 1 + 4),
    ],
)
def test_plot_is_kept_as_a_picture_with_axes_and_legend(
    open_page: OpenPage, served: Served, run_ids: list[str], theme: Theme, view: str, group: str, name: str, lines: int
) -> None:
    page = open_plot(open_page, served, run_ids, view, theme)
    shown = plot(page, group)
    # As wide as there is room, which it learns once it stands there.
    page.wait_for_function("document.querySelector('.plot-area')?.clientWidth > innerWidth / 2")
    box = shown.bounding_box()
    ticks = [tick.bounding_box() for tick in shown.locator(".axis-tick").all()]
    assert box is not None
    picture = kept_picture(page, name)
    assert picture.size == (round(box["width"]), round(box["height"]) + HEAD + lines * LINE + FOOT)
    ground = GROUNDS[theme]
    assert picture.getpixel((0, 0)) == ground
    assert not is_blank(picture.crop((0, 0, picture.width, HEAD)), ground)
    assert len(ticks) > 5
    for tick in ticks:
        assert tick is not None
        left, top = tick["x"] - box["x"], tick["y"] - box["y"] + HEAD
        assert not is_blank(picture.crop((left, top, left + tick["width"], top + tick["height"])), ground)
    swatches = {picture.getpixel((12 + 7, picture.height - FOOT - line * LINE + 11)) for line in range(1, lines)}
    assert len(swatches - {ground}) == len(swatches) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_bars_are_kept_as_a_picture_that_has_an_end(open_page: OpenPage, served: Served, theme: Theme) -> None:
    experiment_id = served.client.create_experiment(f"pictured bars {theme}").experiment_id
    run_ids = []
    for number in range(103):
        run_id = served.client.create_run(experiment_id, run_name=f"run {number}").run_id
        served.client.log_metrics(run_id, {"score": number + 1.0}, step=1)
        run_ids.append(run_id)
    page = open_plot(open_page, served, run_ids, "view=bars", theme)
    expect(page.get_by_role("list", name="score").get_by_role("listitem").first).to_contain_text("run 102")
    picture = kept_picture(page, "score.png")
    line, margin = 24, 12
    assert picture.height == HEAD + 101 * line + margin
    ground = GROUNDS[theme]
    assert picture.getpixel((0, 0)) == ground
    # The last of the hundred is as long as its value, and below it stands how many more there are.
    last = HEAD + 99 * line
    right = picture.width - margin - 80
    reached = [left for left in range(220, right) if picture.getpixel((left, last + line // 2)) != ground]
    start = margin + 190
    assert reached[-1] - start == pytest.approx((right - start) * 4 / 103, abs=3)
    assert not is_blank(picture.crop((0, last + line, 200, last + 2 * line)), ground)


def kept_picture(page: Page, name: str) -> Image.Image:
    with page.expect_download() as kept:
        page.get_by_role("button", name="Picture").click()
    assert kept.value.suggested_filename == name
    picture = Image.open(kept.value.path())
    assert picture.format == "PNG"
    return picture.convert("RGB")


def is_blank(part: Image.Image, ground: tuple[int, int, int]) -> bool:
    return part.getcolors(part.width * part.height) == [(part.width * part.height, ground)]
