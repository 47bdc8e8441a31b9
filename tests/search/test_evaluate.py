"""The truth table of tree.py, row by row."""

import math
import time

import pytest

from trackwire_server.search import (
    RUNS,
    Comparison,
    Field,
    FieldKind,
    Operator,
    Scalar,
    ValueType,
    compare,
    evaluate,
    like_to_regex,
    matches_like,
    parse_filter,
)

NAN = math.nan


def answer(text: str, value: Scalar | tuple[str, ...] | None) -> bool:
    expression = parse_filter(text, RUNS)
    assert expression is not None
    return evaluate(expression, lambda field: value)


@pytest.mark.parametrize(
    ("condition", "true_of", "false_of"),
    [
        ("= 1", [1.0], [2.0, NAN, None]),
        ("!= 1", [2.0, math.inf, NAN], [1.0, None]),
        ("< 1", [0.5, -math.inf], [1.0, NAN, None]),
        ("<= 1", [1.0], [1.5, NAN, None]),
        ("> 1", [1.5, math.inf], [1.0, NAN, None]),
        (">= 1", [1.0], [0.5, NAN, None]),
        ("= inf", [math.inf], [-math.inf, 1.0, NAN, None]),
        ("< inf", [1.0], [math.inf, NAN, None]),
        ("IN (1, 2)", [1.0, 2.0], [3.0, NAN, None]),
        ("NOT IN (1, 2)", [3.0, NAN], [1.0, None]),
        ("= nan", [NAN], [1.0, None]),
        ("!= nan", [1.0, math.inf], [NAN, None]),
        ("IS NULL", [None], [1.0, NAN]),
        ("IS NOT NULL", [1.0, NAN], [None]),
    ],
)
def test_metrics(condition: str, true_of: list[float | None], false_of: list[float | None]) -> None:
    assert [answer(f"metrics.x {condition}", value) for value in true_of] == [True] * len(true_of)
    assert [answer(f"metrics.x {condition}", value) for value in false_of] == [False] * len(false_of)


@pytest.mark.parametrize(
    ("condition", "true_of", "false_of"),
    [
        ("= 'a'", ["a"], ["A", "", "ab"]),
        ("!= 'a'", ["A", ""], ["a"]),
        ("LIKE 'a%'", ["a", "ab", "a\nb"], ["A", "ba", ""]),
        ("NOT LIKE 'a%'", ["A", "ba"], ["ab"]),
        ("ILIKE 'a%'", ["ab", "AB"], ["ba"]),
        ("NOT ILIKE 'a%'", ["ba"], ["AB"]),
        ("IN ('a', 'b')", ["a", "b"], ["c", "A"]),
        ("NOT IN ('a', 'b')", ["c"], ["a"]),
        ("IS NULL", [], ["a", ""]),
        ("IS NOT NULL", ["a", ""], []),
    ],
)
@pytest.mark.parametrize("name", ["tags.k", "params.k", "run_name"])
def test_text(name: str, condition: str, true_of: list[str], false_of: list[str]) -> None:
    assert [answer(f"{name} {condition}", value) for value in true_of] == [True] * len(true_of)
    assert [answer(f"{name} {condition}", value) for value in false_of] == [False] * len(false_of)


@pytest.mark.parametrize(
    ("condition", "true_of", "false_of"),
    [
        ("= 'a'", [("a",), ("b", "a")], [(), ("A", "b")]),
        ("!= 'a'", [("b",), ("a", "b")], [(), ("a",), ("a", "a")]),
        ("LIKE 'a%'", [("b", "ab")], [(), ("b", "ba")]),
        ("NOT LIKE 'a%'", [("b", "ab")], [(), ("ab", "a")]),
        ("IN ('a', 'b')", [("c", "b")], [(), ("c",)]),
        ("NOT IN ('a', 'b')", [("c", "b")], [(), ("a", "b")]),
        ("IS NULL", [()], [("a",)]),
        ("IS NOT NULL", [("a",)], [()]),
    ],
)
def test_any_of_several_datasets(condition: str, true_of: list[tuple[str]], false_of: list[tuple[str]]) -> None:
    for values, expected in ((true_of, True), (false_of, False)):
        assert [answer(f"datasets.name {condition}", value) for value in values] == [expected] * len(values)
        assert [answer(f"NOT datasets.name {condition}", value) for value in values] == [not expected] * len(values)


@pytest.mark.parametrize("condition", ["!= 'a'", "NOT LIKE 'a'", "NOT ILIKE 'a'", "NOT IN ('a')"])
def test_a_missing_tag_satisfies_negations_and_a_missing_param_does_not(condition: str) -> None:
    assert answer(f"tags.k {condition}", None)
    assert not answer(f"params.k {condition}", None)
    assert not answer(f"parent_run_id {condition}", None)


@pytest.mark.parametrize("condition", ["= 'a'", "LIKE 'a'", "ILIKE 'a'", "IN ('a')", "IS NOT NULL"])
@pytest.mark.parametrize("name", ["tags.k", "params.k", "parent_run_id"])
def test_what_is_missing_satisfies_nothing_positive_and_is_null(name: str, condition: str) -> None:
    assert not answer(f"{name} {condition}", None)
    assert answer(f"NOT {name} {condition}", None)
    assert answer(f"{name} IS NULL", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tags.a = '1' AND tags.b = '2'", True),
        ("tags.a = '1' AND tags.b = '9'", False),
        ("tags.a = '9' OR tags.b = '2'", True),
        ("tags.a = '9' OR tags.b = '9'", False),
        ("tags.a = '1' OR tags.b = '9' AND tags.a = '9'", True),
        ("(tags.a = '1' OR tags.b = '9') AND tags.a = '9'", False),
        ("NOT tags.a = '9' AND NOT tags.b = '9'", True),
        ("NOT (tags.a = '1' OR tags.b = '9')", False),
    ],
)
def test_logic(text: str, expected: bool) -> None:
    expression = parse_filter(text, RUNS)
    assert expression is not None
    assert evaluate(expression, lambda field: {"a": "1", "b": "2"}.get(field.key)) is expected


def test_a_value_of_another_type_is_a_programming_error() -> None:
    with pytest.raises(TypeError, match="cannot be asked of 3"):
        compare(Comparison(Field(FieldKind.TAG, "k", ValueType.STRING), Operator.EQUAL, "a"), 3)


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("", [""], ["a"]),
        ("%", ["", "a", "a\nb"], []),
        ("_", ["a", "\n", "é", "\U0001f600"], ["", "ab"]),
        ("a%b", ["ab", "axb", "abb"], ["a", "abx", "xab"]),
        ("%a_c%", ["abc", "xabcx", "aacabc"], ["ac", "abd"]),
        ("%ab%ab", ["abab", "xabyab"], ["ab", "aba"]),
        ("a.c", ["a.c"], ["abc"]),
        ("\\%", ["\\", "\\x"], ["%"]),
        ("a%%b", ["ab", "axxb"], ["a"]),
    ],
)
def test_like(pattern: str, matching: list[str], others: list[str]) -> None:
    assert all(matches_like(text, pattern) for text in matching)
    assert not any(matches_like(text, pattern) for text in others)


def test_ilike_folds_every_alphabet() -> None:
    assert matches_like("ABC", "abc", ignore_case=True)
    assert matches_like("É", "é", ignore_case=True)
    assert matches_like("É!", "é_", ignore_case=True)
    assert not matches_like("ſ", "s", ignore_case=True)


def test_like_of_many_wildcards_takes_linear_time() -> None:
    assert like_to_regex("%a%b") == "(?>.*?a).*b"
    started = time.thread_time()
    assert not matches_like("a" * 65_536, "%a" * 30 + "b")
    assert time.thread_time() - started < 1.0
