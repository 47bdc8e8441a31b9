"""The rules of logged models, over the memory store."""

import pytest
from tests.conftest import NOW_MS, CountedIds, FakeClock

from trackwire_server.core.errors import InvalidArgument, TrackwireError
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.logged_model_entities import LoggedModelStatus
from trackwire_server.core.logged_models import LoggedModelDraft, LoggedModels
from trackwire_server.core.names import readable_name
from trackwire_server.core.searching import SearchRequest
from trackwire_server.search import MetricDataset
from trackwire_server.stores.memory.logged_models import MemoryLoggedModels
from trackwire_server.stores.memory.state import MemoryState


@pytest.fixture
def models(memory_state: MemoryState, clock: FakeClock, new_id: CountedIds) -> LoggedModels:
    return LoggedModels(MemoryLoggedModels(memory_state), clock, new_id)


def refused(error: pytest.ExceptionInfo[TrackwireError]) -> tuple[str | None, str]:
    return error.value.metadata.get("field"), error.value.reason


async def test_new_model_gets_what_the_draft_leaves_out(models: LoggedModels) -> None:
    model = await models.create(LoggedModelDraft("0"))
    assert model.model_id == f"m-{1:032x}"
    assert model.name == readable_name(f"{2:032x}")
    assert model.status is LoggedModelStatus.PENDING
    assert model.creation_time_ms == model.last_update_time_ms == NOW_MS


async def test_new_model_keeps_what_the_draft_says(models: LoggedModels) -> None:
    name = "n" * LIMITS.logged_model_name_characters
    draft = LoggedModelDraft(
        "0", name=name, model_type="agent", source_run_id="not-there", status=LoggedModelStatus.READY
    )
    model = await models.create(draft)
    assert (model.name, model.model_type, model.source_run_id, model.status) == (name, "agent", "not-there", "READY")


@pytest.mark.parametrize(
    ("draft", "field", "reason"),
    [
        (LoggedModelDraft(""), "experiment_id", "REQUIRED"),
        (LoggedModelDraft("x"), "experiment_id", "INVALID_ARGUMENT"),
        *((LoggedModelDraft("0", name=f"a{c}b"), "name", "INVALID_ARGUMENT") for c in "/:.%\"'\0"),
        (LoggedModelDraft("0", name="n" * 501), "name", "TOO_LONG"),
        (LoggedModelDraft("0", model_type="t" * 501), "model_type", "TOO_LONG"),
        (LoggedModelDraft("0", source_run_id="-"), "source_run_id", "INVALID_ARGUMENT"),
        (LoggedModelDraft("0", request_id="q" * 65), "request_id", "TOO_LONG"),
        (LoggedModelDraft("0", params={"": "v"}), "params", "REQUIRED"),
        (LoggedModelDraft("0", params={"k": "v" * 65_537}), "params[k]", "TOO_LONG"),
        (LoggedModelDraft("0", tags={"a\n": "v"}), "tags", "INVALID_ARGUMENT"),
        (LoggedModelDraft("0", tags={str(at): "" for at in range(1_001)}), "tags", "INVALID_ARGUMENT"),
    ],
)
async def test_bad_draft_is_refused_by_field(
    models: LoggedModels, memory_state: MemoryState, draft: LoggedModelDraft, field: str, reason: str
) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await models.create(draft)
    assert refused(raised) == (field, reason)
    assert memory_state.logged_models == {}


async def test_name_that_is_refused_says_which_character(models: LoggedModels) -> None:
    with pytest.raises(InvalidArgument, match=r"name: 'net:1': must not contain any of / : \. % \" ', and has ':'"):
        await models.create(LoggedModelDraft("0", name="net:1"))


@pytest.mark.parametrize(
    ("model_id", "reason"), [("", "REQUIRED"), ("m/1", "INVALID_ARGUMENT"), ("m" * 65, "TOO_LONG")]
)
async def test_bad_id_is_refused_by_everything(models: LoggedModels, model_id: str, reason: str) -> None:
    for call in (
        models.get(model_id),
        models.update(model_id, status=LoggedModelStatus.READY),
        models.delete(model_id),
        models.set_tags(model_id, {"a": "b"}),
        models.delete_tag(model_id, "a"),
        models.log_params(model_id, {"a": "b"}),
    ):
        with pytest.raises(InvalidArgument) as raised:
            await call
        assert refused(raised) == ("model_id", reason)


async def test_bad_change_is_refused_by_field(models: LoggedModels) -> None:
    model_id = (await models.create(LoggedModelDraft("0"))).model_id
    for call, field in (
        (models.update(model_id, status_message="s" * 65_537), "status_message"),
        (models.set_tags(model_id, {}), "tags"),
        (models.delete_tag(model_id, ""), "key"),
        (models.log_params(model_id, {}), "params"),
        (models.log_params(model_id, {"a/../b": "v"}), "params"),
    ):
        with pytest.raises(InvalidArgument) as raised:
            await call
        assert raised.value.field == field


async def test_update_of_nothing_changes_nothing(models: LoggedModels, clock: FakeClock) -> None:
    model = await models.create(LoggedModelDraft("0"))
    clock.advance(5)
    assert await models.update(model.model_id) == model
    changed = await models.update(model.model_id, status=LoggedModelStatus.UPLOAD_FAILED, status_message="disk full")
    assert (changed.status_message, changed.last_update_time_ms) == ("disk full", NOW_MS + 5)


TRAIN = MetricDataset("train")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (SearchRequest(), "experiment_ids"),
        (SearchRequest(experiment_ids=("x",)), "experiment_ids[0]"),
        (SearchRequest(experiment_ids=("0",) * 1_001), "experiment_ids"),
        (SearchRequest("metrics.a > 'x'", experiment_ids=("0",)), "filter"),
        (SearchRequest("param.a = 'x' AND start_time > 1", experiment_ids=("0",)), "filter"),
        (SearchRequest(order_by=["nothing"], experiment_ids=("0",)), "order_by[0]"),
        (SearchRequest(page_size=50_001, experiment_ids=("0",)), "page_size"),
        (SearchRequest(page_token="?", experiment_ids=("0",)), "page_token"),
        (SearchRequest(experiment_ids=("0",), datasets=(TRAIN, MetricDataset(""))), "datasets[1].name"),
        (SearchRequest(experiment_ids=("0",), datasets=(MetricDataset("a", "d" * 37),)), "datasets[0].digest"),
        (SearchRequest(experiment_ids=("0",), datasets=(TRAIN,) * 101), "datasets"),
        (SearchRequest(experiment_ids=("0",), order_by_datasets=((0, TRAIN),)), "order_by_datasets[0]"),
        (
            SearchRequest(order_by=["metrics.a"], experiment_ids=("0",), order_by_datasets=((-1, TRAIN),)),
            "order_by_datasets[-1]",
        ),
        (
            SearchRequest(order_by=["metrics.a"], experiment_ids=("0",), order_by_datasets=((0, MetricDataset("")),)),
            "order_by_datasets[0].name",
        ),
        (SearchRequest(order_by=["name"], experiment_ids=("0",), order_by_datasets=((0, TRAIN),)), "order_by[0]"),
    ],
)
async def test_bad_search_is_refused_by_field(models: LoggedModels, request_: SearchRequest, field: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        await models.search(request_)
    assert raised.value.field == field


async def test_one_metric_orders_by_two_datasets(models: LoggedModels) -> None:
    order = ((0, TRAIN), (1, MetricDataset("test")))
    request = SearchRequest(order_by=["metrics.a", "metrics.a DESC"], experiment_ids=("0",), order_by_datasets=order)
    assert await models.search(request) == ([], "")


async def test_token_belongs_to_its_datasets(models: LoggedModels) -> None:
    for _ in range(2):
        await models.create(LoggedModelDraft("0"))
    _, token = await models.search(SearchRequest(page_size=1, experiment_ids=("0",)))
    with pytest.raises(InvalidArgument, match="another query"):
        await models.search(SearchRequest(page_size=1, page_token=token, experiment_ids=("0",), datasets=(TRAIN,)))
    found, end = await models.search(SearchRequest(page_size=1, page_token=token, experiment_ids=("0",)))
    assert (len(found), end) == (1, "")
