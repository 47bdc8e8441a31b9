"""Filters in which a negation holds only of tags that are there."""

import pytest

from trackwire_server.search import PROMPT_TAG, RUNS, Field, FieldKind, evaluate, parse_filter, requiring_tags


def answers(text: str, value: str | None) -> tuple[bool, bool]:
    """What a filter says of a run all of whose entries have this value: as it stands, and asking for tags."""
    expression = parse_filter(text, RUNS)
    assert expression is not None

    def lookup(field: Field) -> str | None:
        return value if field.kind is FieldKind.TAG else "other"

    return evaluate(expression, lookup), evaluate(requiring_tags(expression), lookup)


@pytest.mark.parametrize(
    ("text", "as_it_stands", "asking"),
    [
        ("tags.x != 'v'", True, False),
        ("tags.x NOT LIKE 'v%'", True, False),
        ("tags.x NOT ILIKE 'v%'", True, False),
        ("tags.x NOT IN ('v', 'w')", True, False),
        ("tags.x = 'v'", False, False),
        ("tags.x LIKE 'v%'", False, False),
        ("tags.x IS NULL", True, True),
        ("tags.x IS NOT NULL", False, False),
        # A negation of the whole is true of what is missing, as it is for params.
        ("NOT tags.x = 'v'", True, True),
        ("NOT tags.x != 'v'", False, True),
        ("tags.x != 'v' AND run_name = 'other'", True, False),
        ("tags.x != 'v' OR run_name = 'nobody'", True, False),
        ("tags.x != 'v' OR run_name = 'other'", True, True),
        (f"tags.`{PROMPT_TAG}` != 'true'", True, True),
        ("params.x != 'v' AND run_name != 'v'", True, True),
    ],
)
def test_negation_of_a_missing_tag(text: str, as_it_stands: bool, asking: bool) -> None:
    assert answers(text, None) == (as_it_stands, asking)


@pytest.mark.parametrize("text", ["tags.x != 'v'", "tags.x NOT LIKE 'v%'", "tags.x NOT IN ('v')", "NOT tags.x = 'v'"])
def test_tag_that_is_there_decides_by_its_value(text: str) -> None:
    assert answers(text, "other") == (True, True)
    assert answers(text, "v") == (False, False)
