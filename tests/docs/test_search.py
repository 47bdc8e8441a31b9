"""The filters that documents show are understood, and what the table of differences says of them is so."""

import pytest
from tests.docs.documents import README, SEARCH, block_of

from trackwire_server.core.limits import LIMITS
from trackwire_server.search import (
    EXPERIMENTS,
    ISSUES,
    LOGGED_MODELS,
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    RUNS,
    SEARCH_LIMITS,
    SearchSyntaxError,
    Vocabulary,
    parse_filter,
    parse_order_by,
)

VOCABULARIES = {
    "experiments": EXPERIMENTS,
    "runs": RUNS,
    "registered models": REGISTERED_MODELS,
    "model versions": MODEL_VERSIONS,
    "logged models": LOGGED_MODELS,
    "issues": ISSUES,
}


@pytest.mark.parametrize("entity", VOCABULARIES)
def test_filters_are_understood(entity: str) -> None:
    lines = block_of(SEARCH, f"filters of {entity}").splitlines()
    if entity == "runs":
        lines += block_of(README, "filters of runs").splitlines()
    for line in lines:
        assert parse_filter(line, VOCABULARIES[entity]) is not None, line


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values(), ids=VOCABULARIES.keys())
def test_every_attribute_is_listed(vocabulary: Vocabulary) -> None:
    heading = f"For **{vocabulary.entity}**"
    sentence = next(line for line in SEARCH.read_text().splitlines() if line.startswith(heading))
    assert [f"`{each.name}`" for each in vocabulary.attributes if f"`{each.name}`" not in sentence] == []


def test_error_points_at_its_place() -> None:
    wrong, _, answer = block_of(SEARCH, "error").partition("\n\n")
    with pytest.raises(SearchSyntaxError) as refused:
        parse_filter(wrong, RUNS)
    assert str(refused.value) == answer.removesuffix("\n")


@pytest.mark.parametrize(
    "refused", ["status = 'finnished'", "start_time > 1.5", "metrics.x > 1e400", "traces.name = 'a'"]
)
def test_filters_listed_as_refused_are_refused(refused: str) -> None:
    with pytest.raises(SearchSyntaxError):
        parse_filter(refused, RUNS)


@pytest.mark.parametrize(
    "accepted",
    ["start_time > 1.7e12", "metrics.x != nan", "metrics.x = inf", "status == 'Failed'", "datasets.name IS NULL"],
)
def test_filters_listed_as_understood_are_understood(accepted: str) -> None:
    assert parse_filter(accepted, RUNS) is not None


def test_same_field_twice_in_an_order_is_refused() -> None:
    with pytest.raises(SearchSyntaxError):
        parse_order_by(["metrics.x", "metrics.x DESC"], RUNS)


def test_limits_are_those_that_count() -> None:
    limits = (
        f"{LIMITS.filter_characters:,} characters a filter, {SEARCH_LIMITS.nesting_depth_max} levels,"
        f" {SEARCH_LIMITS.comparisons_max} comparisons, {SEARCH_LIMITS.in_values_max:,} values in a list,"
        f" {LIMITS.order_by_clauses} order-by clauses."
    )
    assert limits in SEARCH.read_text()
