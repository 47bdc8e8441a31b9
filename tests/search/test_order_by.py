"""Order-by clauses become a total order, and sort keys realise it."""

import math
from itertools import pairwise

import pytest

from trackwire_server.search import (
    EXPERIMENTS,
    ISSUES,
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    RUNS,
    Field,
    FieldKind,
    OrderTerm,
    Scalar,
    SearchLimits,
    SearchSyntaxError,
    ValueType,
    Vocabulary,
    order_term_to_text,
    parse_order_by,
    sort_key,
)


@pytest.mark.parametrize(
    ("vocabulary", "clauses", "order"),
    [
        (RUNS, [], ["start_time DESC", "run_id ASC"]),
        (RUNS, ["start_time"], ["start_time ASC", "run_id ASC"]),
        (RUNS, ["Created DESC"], ["start_time DESC", "run_id ASC"]),
        (RUNS, ["metrics.loss"], ["metrics.`loss` ASC", "start_time DESC", "run_id ASC"]),
        (RUNS, ["metrics.loss.min desc"], ["metrics.`loss`.min DESC", "start_time DESC", "run_id ASC"]),
        (RUNS, ["metrics.`a b`  Asc "], ["metrics.`a b` ASC", "start_time DESC", "run_id ASC"]),
        (RUNS, ["params.lr", "tags.k DESC"], ["params.`lr` ASC", "tags.`k` DESC", "start_time DESC", "run_id ASC"]),
        (RUNS, ["`Run Name`"], ["run_name ASC", "start_time DESC", "run_id ASC"]),
        (RUNS, ["attributes.run_id DESC"], ["run_id DESC"]),
        (RUNS, ["run_id", "metrics.loss"], ["run_id ASC"]),
        (EXPERIMENTS, [], ["creation_time DESC", "experiment_id ASC"]),
        (EXPERIMENTS, ["name"], ["name ASC", "experiment_id DESC"]),
        (EXPERIMENTS, ["creation_time DESC"], ["creation_time DESC", "experiment_id DESC"]),
        (EXPERIMENTS, ["last_update_time"], ["last_update_time ASC", "experiment_id DESC"]),
        (EXPERIMENTS, ["experiment_id"], ["experiment_id ASC"]),
        (REGISTERED_MODELS, [], ["name ASC"]),
        (REGISTERED_MODELS, ["timestamp DESC"], ["last_updated_timestamp DESC", "name ASC"]),
        (REGISTERED_MODELS, ["last_updated_timestamp"], ["last_updated_timestamp ASC", "name ASC"]),
        (REGISTERED_MODELS, ["name DESC"], ["name DESC"]),
        (MODEL_VERSIONS, [], ["last_updated_timestamp DESC", "name ASC", "version_number DESC"]),
        (MODEL_VERSIONS, ["creation_timestamp"], ["creation_timestamp ASC", "name ASC", "version_number DESC"]),
        (MODEL_VERSIONS, ["version ASC"], ["version_number ASC", "name ASC"]),
        (MODEL_VERSIONS, ["name DESC"], ["name DESC", "version_number DESC"]),
        (ISSUES, [], ["severity DESC", "creation_timestamp DESC", "issue_id ASC"]),
        (ISSUES, ["last_seen_time DESC"], ["last_seen_timestamp DESC", "creation_timestamp DESC", "issue_id ASC"]),
    ],
)
def test_ties_make_the_order_total(vocabulary: Vocabulary, clauses: list[str], order: list[str]) -> None:
    terms = parse_order_by(clauses, vocabulary)
    assert [order_term_to_text(term) for term in terms] == order
    assert set(vocabulary.unique_key) <= {term.field for term in terms}


@pytest.mark.parametrize(
    ("clauses", "column", "reason"),
    [
        ([""], 1, "the text ends where a field is expected"),
        (["start_time", " created DESC"], 2, "ordered by already"),
        (["metrics.a", "metrics.a.last"], 1, "ordered by already"),
        (["metrics.a DOWN"], 11, "found 'DOWN' where ASC, DESC or the end is expected"),
        (["metrics.a DESC, metrics.b"], 15, "found ','"),
        (["metrics.a DESC ASC"], 16, "found 'ASC' where the end is expected"),
        (["strt_time DESC"], 1, "did you mean 'start_time'?"),
        (["strt_time DOWN"], 1, "did you mean 'start_time'?"),
        (["metrics.`a"], 9, "never closed"),
        ([" datasets.name DESC"], 2, "runs are not ordered by datasets"),
        (["run_id", "metrics.a", "metrics.b"], 1, "3 order-by clauses are given; at most 2 are allowed"),
    ],
)
def test_bad_clause_points_at_the_column(clauses: list[str], column: int, reason: str) -> None:
    with pytest.raises(SearchSyntaxError) as caught:
        parse_order_by(clauses, RUNS, limits=SearchLimits(order_clauses_max=2))
    assert (caught.value.column, reason in caught.value.reason) == (column, True), str(caught.value)


def test_nothing_is_ordered_by_what_may_be_several() -> None:
    with pytest.raises(SearchSyntaxError, match="issues are not ordered by categories, of which one may have several"):
        parse_order_by(["severity DESC", "category"], ISSUES)


METRIC = Field(FieldKind.METRIC, "m", ValueType.REAL)
TEXT = Field(FieldKind.TAG, "t", ValueType.STRING)
TIME = Field(FieldKind.ATTRIBUTE, "start_time", ValueType.INTEGER)


@pytest.mark.parametrize(
    ("field", "descending", "values"),
    [
        (METRIC, False, [-math.inf, -1.5, 0.0, 2.0, math.inf, math.nan, None]),
        (METRIC, True, [math.inf, 2.0, 0.0, -1.5, -math.inf, math.nan, None]),
        (TIME, False, [-(2**63), 2**53, 2**53 + 1, 2**63 - 1, None]),
        (TIME, True, [2**63 - 1, 2**53 + 1, 2**53, -(2**63), None]),
        (TEXT, False, ["", "B", "a", "aa", "b", "é", "\uffff", "\U0001f600", None]),
        (TEXT, True, ["\U0001f600", "\uffff", "é", "b", "aa", "a", "B", "", None]),
    ],
)
def test_sort_keys_put_values_then_nan_then_missing(
    field: Field, descending: bool, values: list[Scalar | None]
) -> None:
    keys = [sort_key(OrderTerm(field, descending), value) for value in values]
    assert all(earlier < later for earlier, later in pairwise(keys))
    assert not any(later < earlier for earlier, later in pairwise(keys))


def test_equal_values_have_equal_sort_keys() -> None:
    for value in ("a", 1, 1.0, math.nan, None):
        term = OrderTerm(METRIC, descending=True)
        assert sort_key(term, value) == sort_key(term, value)
    assert sort_key(OrderTerm(METRIC), 0.0) == sort_key(OrderTerm(METRIC), -0.0)
