"""The page of one run, in a real Chromium."""

import math
import time

import pytest
from playwright.sync_api import expect
from tests.ui.browsing import Watch, violations
from tests.ui.conftest import OpenPage, Served

from trackwire.v1.run_inputs_pb2 import Dataset, DatasetInput

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


def make_run(served: Served, **options: object) -> str:
    run_id: str = served.client.create_run("0", **options).run_id  # type: ignore[arg-type]
    return run_id


def finish(served: Served, run_id: str) -> None:
    served.client.update_run(run_id, status="FINISHED")


def test_overview_shows_what_the_run_is(served: Served, open_page: OpenPage) -> None:
    run_id = make_run(
        served,
        run_name="ada's run",
        user_id="ada",
        params={f"layer_{number}": str(number) for number in range(12)} | {"prompt": "x" * 1_000},
        tags={"team": "vision", "mlflow.source.git.commit": "9fceb02", "mlflow.note.content": "line one\nline two"},
    )
    finish(served, run_id)
    page = open_page(served.address_of_run(run_id))
    expect(page.get_by_role("heading", level=1)).to_have_text("ada's run")
    expect(page.get_by_text("Finished", exact=True)).to_be_visible()
    about = page.get_by_role("region", name="About this run")
    expect(about).to_contain_text(run_id)
    expect(about).to_contain_text("9fceb02")
    expect(page.get_by_role("region", name="Description")).to_contain_text("line two")
    tags = page.get_by_role("region", name="Tags")
    expect(tags).to_contain_text("vision")
    expect(tags).not_to_contain_text("mlflow.source")
    params = page.get_by_role("region", name="Params")
    # By their numbers: 2 before 10.
    keys = params.locator("tbody th").all_inner_texts()
    assert keys.index("layer_2") < keys.index("layer_10")
    expect(params).not_to_contain_text("x" * 1_000)
    params.get_by_role("button", name="Show all 1,000 characters").click()
    expect(params).to_contain_text("x" * 1_000)
    params.get_by_role("searchbox").fill("layer_11")
    expect(params.locator("tbody tr")).to_have_count(1)
    assert "params=layer_11" in page.url
    assert violations(page) == []


def test_short_address_leads_to_the_run(served: Served, open_page: OpenPage) -> None:
    run_id = make_run(served, run_name="found by its id")
    page = open_page(f"{served.url}/#/runs/{run_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("found by its id")
    assert page.url == served.address_of_run(run_id)


def test_unknown_run_is_told_in_words(served: Served, open_page: OpenPage, watch: Watch) -> None:
    watch.expect("answer: 404")
    page = open_page(served.address_of_run("0" * 32))
    expect(page.get_by_role("alert")).to_contain_text("0" * 32)


def test_running_run_is_followed_without_reloading(served: Served, open_page: OpenPage) -> None:
    run_id = make_run(served, run_name="live")
    page = open_page(served.address_of_run(run_id, "?tab=metrics"))
    expect(page.get_by_text("Running", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="No metrics yet")).to_be_visible()
    served.client.log_metric(run_id, "train/loss", 0.25, step=7)
    expect(page.get_by_role("img", name="train/loss of 1 series")).to_be_visible()
    page.get_by_role("link", name="Overview").click()
    row = page.get_by_role("row").filter(has_text="train/loss")
    expect(row).to_contain_text("0.25")
    served.client.log_metric(run_id, "train/loss", 0.125, step=8)
    expect(row).to_contain_text("0.125")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stop requested")).to_be_visible()
    assert served.client.get_run(run_id).stop_requested
    finish(served, run_id)
    expect(page.get_by_text("Finished", exact=True)).to_be_visible()
    expect(page.get_by_text("Stop requested")).to_have_count(0)


def test_overview_tells_what_each_metric_reached(served: Served, open_page: OpenPage) -> None:
    run_id = make_run(served)
    keys = [f"other {number}" for number in range(6)]
    for step, value in enumerate([3.0, math.nan, 1.0]):
        served.client.log_metrics(run_id, dict.fromkeys(["loss", *keys, "system/cpu"], value), step=step)
    finish(served, run_id)
    page = open_page(served.address_of_run(run_id))
    table = page.get_by_role("region", name="Metrics", exact=True)
    expect(table.locator("tbody th")).to_have_text(["loss", *keys, "system/cpu"])
    cells = table.get_by_role("row").filter(has_text="loss").locator("td").all_inner_texts()
    assert cells[:5] == ["1", "1", "3", "2", "3 (1 NaN)"]
    table.get_by_role("searchbox").fill("cpu")
    expect(table.locator("tbody th")).to_have_text(["system/cpu"])
    page.set_viewport_size({"width": 390, "height": 800})
    assert violations(page) == []


def test_charts_are_of_the_training_or_of_the_machine(served: Served, open_page: OpenPage) -> None:
    run_id = make_run(served)
    served.client.log_metrics(run_id, {"loss": 1, "system/cpu": 40})
    finish(served, run_id)
    page = open_page(served.address_of_run(run_id, "?tab=metrics"))
    charts = page.get_by_role("heading", level=3)
    expect(charts).to_have_text(["loss"])
    page.get_by_role("link", name="System metrics").click()
    expect(charts).to_have_text(["system/cpu"])


def test_unknown_part_of_a_run_is_its_overview(served: Served, open_page: OpenPage) -> None:
    page = open_page(served.address_of_run(make_run(served), "?tab=nothing"))
    expect(page.get_by_role("link", name="Overview")).to_have_attribute("aria-current", "page")


def test_run_is_renamed_described_deleted_and_restored(served: Served, open_page: OpenPage) -> None:
    run_id = make_run(served, run_name="before")
    finish(served, run_id)
    page = open_page(served.address_of_run(run_id))
    page.get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("New name").fill("after")
    dialog.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("after")
    page.get_by_role("button", name="Add a description").click()
    dialog.get_by_role("textbox").fill("what came of it")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Description")).to_contain_text("what came of it")
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("This run is deleted.")).to_be_visible()
    expect(page.get_by_role("button", name="Rename")).to_have_count(0)
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("button", name="Rename")).to_be_visible()
    stored = served.client.get_run(run_id)
    assert (stored.run_name, stored.tags["mlflow.note.content"]) == ("after", "what came of it")


def test_tag_that_is_set_is_shown(served: Served, open_page: OpenPage) -> None:
    run_id = make_run(served)
    finish(served, run_id)
    page = open_page(served.address_of_run(run_id))
    tags = page.get_by_role("region", name="Tags", exact=True)
    tags.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Key").fill("quality")
    dialog.get_by_label("Value").fill("high")
    dialog.get_by_role("button", name="Set").click()
    expect(tags.get_by_role("row").filter(has_text="quality")).to_contain_text("high")


def test_lineage_names_what_is_around_the_run(served: Served, open_page: OpenPage) -> None:
    parent = make_run(served, run_name="the whole sweep")
    run_id = make_run(served, run_name="one of it", parent_run_id=parent)
    make_run(served, run_name="part of it", parent_run_id=run_id)
    dataset = Dataset(name="cifar10", digest="abc123", source_type="s3", source="s3://bucket/cifar10")
    served.client.log_inputs(run_id, [DatasetInput(dataset=dataset, tags={"mlflow.data.context": "training"})])
    served.client.create_registered_model("a model, 50% off")
    served.client.create_model_version("a model, 50% off", "s3://bucket/model", run_id=run_id)
    model = served.client.create_logged_model("0", name="classifier", source_run_id=run_id)
    finish(served, run_id)
    page = open_page(served.address_of_run(run_id))
    expect(page.get_by_role("region", name="Part of")).to_contain_text("the whole sweep")
    version = page.get_by_role("link", name="a model, 50% off, version 1")
    expect(version).to_have_attribute("href", "#/models/a%20model%2C%2050%25%20off/versions/1")
    datasets = page.get_by_role("region", name="Datasets")
    datasets.locator("summary").click()
    expect(datasets).to_contain_text("s3://bucket/cifar10")
    made = page.get_by_role("region", name="Models").get_by_role("link", name="classifier")
    expect(made).to_have_attribute("href", f"#/experiments/0/runs/{run_id}?tab=artifacts&model={model.model_id}")
    assert violations(page) == []
    page.get_by_role("region", name="Child runs").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("part of it")


@pytest.mark.parametrize(("width", "color_scheme"), [(1280, "dark"), (390, "light")])
def test_hostile_words_are_text_and_fit_the_page(
    served: Served, open_page: OpenPage, width: int, color_scheme: str
) -> None:
    words = {"hostile": HOSTILE, "long/" + "k" * 200: "x" * 2_000}
    run_id = make_run(
        served, run_name=HOSTILE, user_id=HOSTILE, params=words, tags=words | {"mlflow.note.content": HOSTILE}
    )
    finish(served, run_id)
    page = open_page(served.address_of_run(run_id), color_scheme, (width, 800))
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.get_by_role("region", name="Description")).to_contain_text(HOSTILE)
    assert page.locator("img[src='x']").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("main").evaluate("main => main.scrollWidth <= main.clientWidth")
    assert violations(page) == []


def part(first: int, count: int) -> bytes:
    """A part of the console, as the client writes it."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    return "".join(
        f"{moment} {'err' if number % 100 == 99 else 'out'} line {number} of the training\n"
        for number in range(first, first + count)
    ).encode()


def test_console_follows_the_run_and_finds_lines(served: Served, open_page: OpenPage) -> None:
    run_id = make_run(served)
    served.client.upload_bytes(run_id, part(0, 3_000), "console/0/20261121T180203Z-aa-000001.txt")
    page = open_page(served.address_of_run(run_id, "?tab=console"))
    lines = page.get_by_role("region", name="What the run printed")
    expect(lines.get_by_text("line 2999 of the training")).to_be_in_viewport()
    # The others are no elements of the page.
    assert lines.locator(".lines-line").count() < 200
    served.client.upload_bytes(run_id, part(3_000, 500), "console/0/20261121T180203Z-aa-000002.txt")
    expect(lines.get_by_text("line 3499 of the training")).to_be_in_viewport()
    page.get_by_role("searchbox", name="Find lines").fill("line 1234 ")
    expect(lines.locator(".lines-line")).to_have_count(1)
    expect(lines.locator("mark")).to_have_text("line 1234 ")
    page.get_by_role("searchbox", name="Find lines").fill("")
    page.get_by_label("Stream").select_option("err")
    expect(page.get_by_text("35 of 3,500 lines")).to_be_visible()
    assert violations(page) == []


def test_console_of_each_rank_is_chosen(served: Served, open_page: OpenPage) -> None:
    run_id = make_run(served)
    for rank in (0, 2, 10):
        moment = "2026-11-21T18:02:03.123Z"
        served.client.upload_bytes(run_id, f"{moment} out I am {rank}\n".encode(), f"console/{rank}/a-000001.txt")
    finish(served, run_id)
    page = open_page(served.address_of_run(run_id, "?tab=console"))
    expect(page.get_by_text("I am 0")).to_be_visible()
    expect(page.get_by_label("Rank").locator("option")).to_have_text(["0", "2", "10"])
    page.get_by_label("Rank").select_option("10")
    expect(page.get_by_text("I am 10")).to_be_visible()
    assert "rank=10" in page.url


def test_console_that_is_empty_says_why(served: Served, open_page: OpenPage) -> None:
    run_id = make_run(served)
    finish(served, run_id)
    page = open_page(served.address_of_run(run_id, "?tab=console"))
    expect(page.get_by_role("heading", name="Nothing that was printed is kept")).to_be_visible()
    assert violations(page) == []
