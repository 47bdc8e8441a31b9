"""What a chart tells of the line that is pointed at hides nothing of that line."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect
from tests.conftest import NOW_MS
from tests.ui.browsing import DESKTOP, PHONE
from tests.ui.conftest import OpenPage, Served

from trackwire.columns import MetricColumns

STEPS = 41
# Of the strokes between them.
PLACES = 2_000
# From where to where y goes beyond the values.
ROOM = 0.05
SHAPES: dict[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
    "falls": lambda x: 1 - x,
    "rises": lambda x: x,
    "bends": lambda x: np.exp(-8 * x),
    "waves": lambda x: (1 + np.sin(60 * x)) / 2,
}


@pytest.fixture
def experiment_id(served: Served, request: pytest.FixtureRequest) -> str:
    """An experiment with a run that has a metric of each shape, from 0 to 1."""
    experiment_id = served.client.create_experiment(request.node.name).experiment_id
    run_id = served.client.create_run(experiment_id, run_name="a run with a name that is somewhat long").run_id
    steps = np.arange(STEPS)
    with served.client.metric_writer(run_id) as writer:
        for key, shape in SHAPES.items():
            writer.add(MetricColumns([key], [STEPS], steps, NOW_MS + steps, shape(steps / (STEPS - 1))))
    served.client.update_run(run_id, status="FINISHED")
    return experiment_id


def box_of(place: Locator) -> FloatRect:
    box = place.bounding_box()
    assert box is not None
    return box


def places_of(key: str, over: FloatRect) -> npt.NDArray[np.float64]:
    """Where the line of a shape passes on the screen."""
    across = np.linspace(0, 1, PLACES)
    steps = np.linspace(0, 1, STEPS)
    y = SHAPES[key](steps)
    share = (np.interp(across, steps, y) - y.min() + np.ptp(y) * ROOM) / (np.ptp(y) * (1 + 2 * ROOM))
    return np.column_stack([over["x"] + across * over["width"], over["y"] + (1 - share) * over["height"]])


def told_beside(page: Page, card: Locator, places: npt.NDArray[np.float64], step: int) -> FloatRect:
    """Where a tooltip is, once a point of a line is pointed at."""
    left, top = places[round(step / (STEPS - 1) * (PLACES - 1))]
    page.mouse.move(left, top)
    told = card.locator(".chart-tooltip")
    # Until then its words are of another step.
    expect(told.locator("div").first).to_have_text(f"Step {step}")
    return box_of(told)


def hidden(places: npt.NDArray[np.float64], box: FloatRect) -> int:
    within = (places >= (box["x"], box["y"])) & (places <= (box["x"] + box["width"], box["y"] + box["height"]))
    return int(within.all(axis=1).sum())


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("key", SHAPES)
def test_tooltip_leaves_its_line_in_sight(
    open_page: OpenPage, served: Served, experiment_id: str, key: str, size: tuple[int, int]
) -> None:
    page = open_page(served.address_of(f"/experiments/{experiment_id}?view=charts&charts={key}"), size=size)
    card = page.get_by_role("region", name=key, exact=True)
    expect(card.get_by_role("img")).to_be_visible()
    places = places_of(key, box_of(card.locator(".u-over")))
    for step in (1, 4, 12, 20, 28, 36, 39):
        box = told_beside(page, card, places, step)
        assert hidden(places, box) == 0, (step, box)
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= size[0]
        assert box["y"] + box["height"] <= size[1]


def test_tooltip_lies_over_an_enlarged_chart(open_page: OpenPage, served: Served, experiment_id: str) -> None:
    page = open_page(served.address_of(f"/experiments/{experiment_id}?view=charts&large=bends"))
    dialog = page.get_by_role("dialog", name="bends")
    expect(dialog.get_by_role("img")).to_be_visible()
    places = places_of("bends", box_of(dialog.locator(".u-over")))
    box = told_beside(page, dialog, places, 4)
    assert hidden(places, box) == 0
