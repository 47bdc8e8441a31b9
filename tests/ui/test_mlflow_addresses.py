"""Addresses of MLflow's own pages, as its client prints them and people keep them, lead to what there is here."""

import json
import re
from collections.abc import Mapping
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Page, expect
from tests.conftest import ServerProcess
from tests.ui.browsing import violations
from tests.ui.conftest import Served

from trackwire import Client


@pytest.fixture(scope="module")
def ids(server: ServerProcess) -> Mapping[str, str]:
    """The ids of the two runs that all addresses are about."""
    with Client(server.address) as client:
        client.create_registered_model("a model")
        return {name: make_run(client) for name in ("RUN", "OTHER")}


def make_run(client: Client) -> str:
    run_id: str = client.create_run("0", run_name="kept").run_id
    client.log_metrics(run_id, {"val loss": 0.5, "system/cpu": 40.0}, step=1)
    client.upload_bytes(run_id, b"flavors: {}\n", "nets/small one/MLmodel")
    client.update_run(run_id, status="FINISHED")
    return run_id


def with_ids(address: str, ids: Mapping[str, str]) -> str:
    return re.sub("RUN|OTHER", lambda found: ids[found[0]], address)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("/experiments/0/runs/RUN/overview", "/experiments/0/runs/RUN"),
        ("/experiments/0/runs/RUN/model-metrics", "/experiments/0/runs/RUN?tab=metrics"),
        ("/experiments/0/runs/RUN/system-metrics", "/experiments/0/runs/RUN?tab=system"),
        ("/experiments/0/runs/RUN/artifacts", "/experiments/0/runs/RUN?tab=artifacts"),
        ("/experiments/0/runs/RUN/artifacts/", "/experiments/0/runs/RUN?tab=artifacts"),
        ("/experiments/0/runs/RUN/artifacts/nets", "/experiments/0/runs/RUN?tab=artifacts&path=nets%2F"),
        (
            "/experiments/0/runs/RUN/artifacts/nets/small%20one/MLmodel",
            "/experiments/0/runs/RUN?tab=artifacts&path=nets%2Fsmall+one%2FMLmodel",
        ),
        ("/experiments/0/runs/RUN/artifactPath/nets", "/experiments/0/runs/RUN?tab=artifacts&path=nets%2F"),
        ("/experiments/0/runs/RUN/traces", "/experiments/0/runs/RUN"),
        ("/experiments/0/runs/RUN?workspace=a", "/experiments/0/runs/RUN?workspace=a"),
        ("/experiments/0/overview", "/experiments/0"),
        ("/experiments/0/runs", "/experiments/0"),
        ("/experiments/0/traces/tr-1", "/experiments/0"),
        ("/experiments/0/evaluation-runs?selectedRunUuid=RUN", "/experiments/0/runs/RUN"),
        (
            "/experiments/0?searchFilter=metrics.%60val%20loss%60<1&orderByKey=metrics.%60val%20loss%60&orderByAsc=true",
            "/experiments/0?filter=metrics.%60val+loss%60%3C1&order=metrics.%60val+loss%60+ASC",
        ),
        (
            "/experiments/0/s?orderByKey=attributes.start_time&orderByAsc=false&lifecycleFilter=Deleted",
            "/experiments/0?show=deleted",
        ),
        ('/compare-experiments/s?experiments=["0"]', "/experiments/0"),
        ('/metric/val%20loss?runs=["RUN"]&experiments=["0"]', "/experiments/0/runs/RUN?tab=metrics&charts=val+loss"),
        (
            '/metric?runs=["RUN"]&metric="system%2Fcpu"&experiments=["0"]&x_axis=step',
            "/experiments/0/runs/RUN?tab=system&charts=system%2Fcpu",
        ),
        ('/metric?runs=["RUN","OTHER"]&metric="m"&experiments=["0"]', "/compare-runs?runs=RUN%7EOTHER&view=charts"),
        ('/compare-model-versions?name="m"&runs={"RUN":"1","OTHER":"2"}', "/compare-runs?runs=RUN%7EOTHER"),
        ("/models/a%20model/serving", "/models/a%20model"),
    ],
)
def test_page_of_mlflow_leads_to_what_is_like_it(
    page: Page, served: Served, ids: Mapping[str, str], asked: str, shown: str
) -> None:
    page.goto(served.address_of(with_ids(asked, ids)))
    expect(page).to_have_url(f"{served.url}/#{with_ids(shown, ids)}")
    expect(page.get_by_role("heading", level=1)).to_be_attached()
    expect(page.get_by_role("heading", name="There is no such page")).to_have_count(0)


def test_address_of_an_artifact_shows_it(page: Page, served: Served, ids: Mapping[str, str]) -> None:
    page.goto(served.address_of(f"/experiments/0/runs/{ids['RUN']}/artifacts/nets/small one/MLmodel"))
    expect(page.get_by_role("region", name="Text of the file")).to_contain_text("flavors")
    page.goto(served.address_of(f"/experiments/0/runs/{ids['RUN']}/artifacts/nets/small one"))
    expect(page.get_by_role("heading", name="small one")).to_be_visible()
    expect(page.get_by_role("button", name="Register model", exact=True)).to_be_visible()


def test_logged_model_is_found_by_its_id_and_by_its_path_in_its_run(
    page: Page, served: Served, ids: Mapping[str, str]
) -> None:
    model_id = served.client.create_logged_model("0", name="net", source_run_id=ids["RUN"]).model_id
    proxy = f"{served.url}/api/2.0/mlflow-artifacts/artifacts/0/models/{model_id}/artifacts"
    assert requests.put(f"{proxy}/data/weights.txt", b"heavy", timeout=30).ok
    files = served.address_of_run(ids["RUN"], f"?tab=artifacts&model={model_id}")
    for asked in (f"/experiments/0/models/{model_id}", f"/experiments/0/models/{model_id}/artifacts"):
        page.goto(served.address_of(asked))
        expect(page).to_have_url(files)
    page.goto(served.address_of(f"/experiments/0/runs/{ids['RUN']}/artifacts/net/data/weights.txt"))
    expect(page.get_by_role("region", name="Text of the file")).to_contain_text("heavy")
    alone = served.client.create_logged_model("0", name="of no run").model_id
    page.goto(served.address_of(f"/experiments/0/models/{alone}"))
    expect(page.get_by_role("heading", level=1)).to_have_text("of no run")
    expect(page.get_by_text("This logged model comes from no run.")).to_be_visible()


def test_versions_of_a_model_of_any_name_are_led_to_it(page: Page, served: Served) -> None:
    name = "a?b 50%"
    served.client.create_registered_model(name)
    page.goto(served.address_of(f"/compare-model-versions?name={quote(json.dumps(name))}&runs=%7B%7D"))
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page).to_have_url(served.address_of(f"/models/{quote(name)}"))


def test_several_experiments_are_led_to_each(page: Page, served: Served) -> None:
    named = served.client.create_experiment("beside the first")
    experiments = quote(json.dumps(["0", named.experiment_id, "999"]))
    page.goto(served.address_of(f"/compare-experiments/s?experiments={experiments}"))
    expect(page.get_by_role("listitem").last).to_have_text("Experiment 999 is not here")
    assert violations(page) == []
    page.get_by_role("link", name="beside the first").click()
    expect(page).to_have_url(served.address_of(f"/experiments/{named.experiment_id}"))


@pytest.mark.parametrize(
    ("asked", "words", "links"),
    [
        ("/prompts/greeting", "MLflow shows prompts there.", []),
        ("/gateway/api-keys", "MLflow shows its gateway there", []),
        ("/settings/webhooks", "MLflow has its settings there.", []),
        ("/experiments/0/runs/RUN/no-such-tab", "no-such-tab", ["See this run.", "See this experiment."]),
        ("/experiments/0/none/at/all", "/none/at/all", ["See this experiment."]),
        ("/models/a%20model/none", "/none", ["See this model."]),
        ("/compare-experiments/s?experiments=broken", "This address names no experiments", []),
    ],
)
def test_address_of_nothing_says_so_and_leads_on(
    page: Page, served: Served, ids: Mapping[str, str], asked: str, words: str, links: list[str]
) -> None:
    page.goto(served.address_of(with_ids(asked, ids)))
    expect(page.get_by_text(words).first).to_be_visible()
    for link in links:
        expect(page.get_by_role("link", name=link)).to_be_visible()
    page.get_by_role("link", name="See all experiments.").click()
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()
