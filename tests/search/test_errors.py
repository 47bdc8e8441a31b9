"""A filter that means nothing says why, and points at where it stopped making sense."""

import time

import pytest

from trackwire_server.search import (
    EXPERIMENTS,
    ISSUES,
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    RUNS,
    SearchLimits,
    SearchSyntaxError,
    Vocabulary,
    parse_filter,
)


def refusal(text: str, vocabulary: Vocabulary = RUNS, limits: SearchLimits | None = None) -> SearchSyntaxError:
    with pytest.raises(SearchSyntaxError) as caught:
        parse_filter(text, vocabulary, limits=limits or SearchLimits())
    assert caught.value.text == text
    return caught.value


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        # identifiers
        ("metrcs.loss < 1", 1, "'metrcs' is not known of runs; did you mean 'metrics'?"),
        ("metrics.a = 1 AND strt_time > 3", 19, "did you mean 'start_time'?"),
        ("attributes.end_tme > 3", 12, "did you mean 'end_time'?"),
        ("zzz = 1", 1, "runs are searched by run_id, run_name"),
        ("loss < 0.5", 1, "did you mean metrics.loss, params.loss or tags.loss? runs are searched by run_id"),
        ("val/loss < 0.5", 1, "did you mean metrics.val/loss, params.val/loss or tags.val/loss? runs are searched by"),
        ("attributes.loss < 0.5", 12, "did you mean metrics.loss, params.loss or tags.loss? runs are searched by"),
        ("`a b` = 'x'", 1, "did you mean metrics.`a b`, params.`a b` or tags.`a b`? runs are searched by"),
        ("val loss < 0.5", 1, "did you mean metrics.`val loss`, params.`val loss` or tags.`val loss`? runs are"),
        ("strt time > 3", 1, "'strt time' is not known of runs; did you mean 'start_time'?"),
        ("status x = 'FAILED'", 8, "IN or IS NULL) is expected"),
        ("dataset.schema = 'x'", 9, "'schema' is not known of a dataset; expected name, digest, context"),
        ("datasets.name > 'x'", 15, "> does not apply to datasets.name, which is text"),
        ("datasets.name.max = 'x'", 10, "'name.max' is not known of a dataset"),
        ("trace.name = 'x'", 1, "'trace' is not known of runs"),
        ("metrics.`a`.median > 1", 13, "expected last, first, min, max, count"),
        ("tags.`a`.max = 'x'", 10, "takes no suffix"),
        ("metrics.a.`b` > 1", 9, "quoted in part"),
        ("tags. = 'x'", 6, "a key is expected after the dot"),
        ("tags.`` = 'x'", 6, "a key is expected after the dot"),
        ("'a' = 'b'", 1, "take no single quotes"),
        ("0.5 < metrics.x", 1, "found the number 0.5 where a field is expected"),
        ("foo = 1 AND", 1, "'foo' is not known"),
        # operators
        ("metrics.loss LIKE 'a'", 14, "LIKE does not apply to metrics.loss, which is a number; use =, !="),
        ("params.lr < '3'", 11, "< does not apply to params.lr, which is text"),
        ("tags.k NOT IN ('a') AND start_time NOT LIKE 'b'", 36, "NOT LIKE does not apply to start_time"),
        ("metrics.a BETWEEN 1 AND 2", 11, "found 'BETWEEN' where an operator"),
        ("metrics.a ! 3", 11, "found '!' where an operator"),
        ("metrics.a", 10, "the text ends where an operator"),
        ("tags.x IS 3", 11, "where NULL or NOT NULL is expected"),
        ("tags.x IS NOT 'a'", 15, "where NULL is expected"),
        ("tags.x NOT 'a'", 12, "where LIKE, ILIKE or IN is expected"),
        ("metrics.x > nan", 13, "nothing is > nan"),
        # values
        ("params.x = 'abc", 12, "the ' that opens here is never closed"),
        ("params.x = 'it''s", 12, "the ' that opens here is never closed"),
        ('metrics."loss > 3', 9, 'the " that opens here is never closed'),
        ("params.lr = abc", 13, "abc is not quoted: write 'abc'"),
        ("params.lr = 0.1", 13, "0.1 is not quoted: write '0.1'"),
        ("params.lr = my value", 13, "my is not quoted: write 'my'"),
        ("params.lr = NULL", 13, "write IS NULL"),
        ("params.lr = `a`", 13, "a backtick, which quotes keys"),
        ("metrics.a > '0.5'", 13, "takes a number without quotes: write 0.5, not '0.5'"),
        ("metrics.a > 'x'", 13, "takes a number, and 'x' is text"),
        ("start_time > '2024-01-01'", 14, "is text: times are Unix milliseconds, such as 1700000000000"),
        ("end_time > 2024-01-01", 12, "is not one: times are Unix milliseconds, such as 1700000000000"),
        ("metrics.a > 1.2.3", 13, "1.2.3 is not one"),
        ("metrics.a > 12abc", 13, "12abc is not one"),
        ("metrics.a > \u0661", 13, "\u0661 is not one"),
        ("metrics.a < 1e400", 13, "beyond a 64-bit float; write inf"),
        ("metrics.a IN (1, nan)", 18, "nan cannot stand in a list"),
        ("start_time > 1.5", 14, "takes a whole number, and 1.5 is not one"),
        ("start_time > 9223372036854775808", 14, "beyond them"),
        ("start_time > 1e30", 14, "beyond them"),
        ("start_time > 9.1e15", 14, "write its digits out"),
        ("start_time > '5'", 14, "without quotes"),
        ("start_time > nan", 14, "takes a whole number"),
        ("experiment_id = 'abc'", 17, "'abc' is not one"),
        ("status = 'DONE'", 10, "status is never 'DONE'; expected one of RUNNING, SCHEDULED"),
        ("status IN ('RUNNING', 'DONE')", 23, "status is never 'DONE'"),
        # shape
        ("run_id IN ()", 12, "an IN list holds at least one"),
        ("run_id IN ('a' 'b')", 16, "',' or ')'"),
        ("run_id IN ('a', 'b'", 20, "the '(' at column 11 is never closed"),
        ("run_id IN 'a'", 11, "'(' and a list of values"),
        ("run_id IN", 10, "the text ends where '('"),
        ("(metrics.a = 1", 15, "the '(' at column 1 is never closed"),
        ("metrics.a = 1)", 14, "found ')', which closes no '('"),
        ("metrics.a = 1 AND", 18, "the text ends where a comparison"),
        ("metrics.a = 1 AND   ", 18, "the text ends where a comparison"),
        ("metrics.a = 1 AND OR metrics.b = 1", 19, "found 'OR' where a comparison"),
        ("tags.a = 'x' tags.b = 'y'", 14, "where AND, OR or the end is expected"),
        ("NOT", 4, "the text ends where a comparison"),
        ("tags.a = 'x'; drop", 13, "found ';'"),
        ("tags.\0 = 'x'", 6, "no stored text can hold"),
        ("tags.a = '\ud800'", 11, "no stored text can hold"),
    ],
)
def test_error_points_at_the_column(text: str, column: int, reason: str) -> None:
    error = refusal(text)
    assert (error.column, reason in error.reason) == (column, True), str(error)


@pytest.mark.parametrize(
    ("text", "column", "meant"),
    [
        ("metrics.val accuracy > 0.9", 13, "metrics.`val accuracy`"),
        ("metrics.val/accuracy@5 > 0.9", 21, "metrics.`val/accuracy@5`"),
        ("tags.a = 'x' AND (metrics.f1 score.max>1)", 30, "metrics.`f1 score`.max"),
        ("tags.@.max = 'x'", 6, "tags.`@.max`"),
        ("NOT params.a:b b NOT LIKE 'x'", 13, "params.`a:b b`"),
        ("metrics.recall(top 5) IS NULL", 15, "metrics.`recall(top 5)`"),
        ("run name = 'x'", 5, "`run name`"),
    ],
)
def test_key_without_the_quotes_it_needs_is_told_with_them(text: str, column: int, meant: str) -> None:
    error = refusal(text)
    assert error.column == column
    assert error.reason.endswith(f" is expected; did you mean {meant}?"), str(error)
    parse_filter(text.replace(meant.replace("`", ""), meant), RUNS)


@pytest.mark.parametrize(
    "text",
    [
        "metrics.val accuracy",
        "metrics.loss AND metrics.b > 2",
        "metrics.loss && metrics.b > 2",
        "metrics.loss (metrics.b > 2)",
        "metrics.loss 'b' > 2",
        "metrics.loss ! = 2",
        f"metrics.loss {'b' * 64} > 2",
    ],
)
def test_what_is_no_key_is_not_told_as_one(text: str) -> None:
    assert "did you mean" not in refusal(text).reason


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("severity = 'worst'", 12, "severity is never 'worst'; expected one of NOT_AN_ISSUE, LOW, MEDIUM, HIGH"),
        ("severity > 3", 12, "severity takes text, and 3 is not quoted"),
        (
            "severity LIKE 'h%'",
            10,
            "does not apply to severity, which is one of NOT_AN_ISSUE, LOW, MEDIUM, HIGH; use",
        ),
        ("categories > 'a'", 12, "> does not apply to categories, which is text"),
        ("latency = 1", 1, "'latency' is not known of issues; issues are searched by name, issue_id"),
        ("tags.a = 'b'", 1, "issues have no tags; they are searched by name"),
    ],
)
def test_error_about_issues_points_at_the_column(text: str, column: int, reason: str) -> None:
    error = refusal(text, ISSUES)
    assert (error.column, reason in error.reason) == (column, True), str(error)


@pytest.mark.parametrize("vocabulary", [EXPERIMENTS, REGISTERED_MODELS, MODEL_VERSIONS])
@pytest.mark.parametrize("kind", ["metric", "param"])
def test_only_runs_have_metrics_and_params(vocabulary: Vocabulary, kind: str) -> None:
    error = refusal(f"{kind}s.x IS NULL", vocabulary)
    assert error.column == 1
    assert error.reason.startswith(f"{vocabulary.entity} have no {kind}s; they are searched by name")


@pytest.mark.parametrize("vocabulary", [EXPERIMENTS, REGISTERED_MODELS, MODEL_VERSIONS])
def test_only_runs_have_datasets(vocabulary: Vocabulary) -> None:
    error = refusal("dataset.name IS NULL", vocabulary)
    assert error.column == 1
    assert error.reason.startswith(f"{vocabulary.entity} have no datasets; they are searched by name")


def test_message_draws_a_caret_under_the_column() -> None:
    shown = str(refusal("metrics.a = 1\nAND\tfoo = 2"))
    assert shown.splitlines()[1:] == ["  metrics.a = 1 AND foo = 2", "                    ^"]


def test_message_of_a_long_filter_shows_the_part_that_matters() -> None:
    _, line, caret = str(refusal("tags.a = 'x' AND " * 100 + "foo = 1 AND " + "tags.b = 'y' AND " * 100)).splitlines()
    assert len(line) < 110
    assert line[caret.index("^") :].startswith("foo = 1")


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("tags.abcdefghijkl IS NULL AND tags.b IS NULL", 41, "the text has 44 characters; at most 40 are allowed"),
        ("((NOT (tags.a = 'x')))", 7, "nest deeper than 3 levels"),
        ("NOT NOT NOT NOT tags.a = 'x'", 13, "nest deeper than 3 levels"),
        ("tag.a='' OR tag.b='' AND tag.c=''", 26, "this is comparison 3; at most 2 are allowed"),
        ("run_id IN ('a', 'b', 'c', 'd')", 27, "the list has 4 values; at most 3 are allowed"),
    ],
)
def test_limits_are_named(text: str, column: int, reason: str) -> None:
    limits = SearchLimits(filter_characters_max=40, nesting_depth_max=3, comparisons_max=2, in_values_max=3)
    error = refusal(text, limits=limits)
    assert (error.column, reason in error.reason) == (column, True), str(error)


def test_a_filter_at_every_limit_parses() -> None:
    assert parse_filter("(" * 64 + "tags.a = ''" + ")" * 64, RUNS) is not None
    assert parse_filter(" AND ".join(["tags.a = ''"] * 256), RUNS) is not None
    assert parse_filter("run_id IN (" + ",".join(["''"] * 1_000) + ")", RUNS) is not None
    assert parse_filter("tags.a = '".ljust(16_383, "x") + "'", RUNS) is not None


@pytest.mark.parametrize(
    "unit",
    [
        "(",
        ")",
        "NOT ",
        "NOT(",
        "'",
        '"',
        "`",
        "''",
        "``",
        "tags.a='",
        "metrics.`",
        ".",
        "9",
        "metrics.a = 1 OR ",
        "metrics.a b ",
        "a (b) ",
        "a.",
        "é",
    ],
)
@pytest.mark.parametrize("prefix", ["", "tags.", "metrics.a = ", "metrics.a IN ("])
def test_hostile_repetition_is_refused_quickly(prefix: str, unit: str) -> None:
    text = (prefix + unit * 16_384)[:16_384]
    started = time.thread_time()
    refusal(text)
    assert time.thread_time() - started < 1.0
