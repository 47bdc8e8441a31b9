"""Prompts: registered models and versions that MLflow's clients mark by a tag. Their text is a tag; they have no files.

A prompt is no model: searches leave prompts out, unless the filter speaks of their tag.
"""

from collections.abc import Mapping

from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.model_names import check_source
from trackwire_server.search import (
    PROMPT_TAG,
    And,
    Comparison,
    Expression,
    Field,
    FieldKind,
    Not,
    Operator,
    Or,
    ValueType,
)

# A version must have a source, so clients send a word that means none, or one that leads back to the prompt.
PROMPT_SOURCES = ("dummy-source", "prompt-template")
PROMPT_SCHEME = "prompts:/"

_FLAG = Field(FieldKind.TAG, PROMPT_TAG, ValueType.STRING)
_IS_PROMPT = Comparison(_FLAG, Operator.EQUAL, "true")
_IS_MODEL = Comparison(_FLAG, Operator.NOT_EQUAL, "true")


def is_prompt(tags: Mapping[str, str]) -> bool:
    """Whether what has these tags is a prompt."""
    return tags.get(PROMPT_TAG, "").lower() == "true"


def check_prompt_source(field: str, source: str) -> str:
    """The source of a prompt's version, which is none. Raises InvalidArgument."""
    if source.startswith(PROMPT_SCHEME):
        return check_source(field, source)
    if source not in PROMPT_SOURCES:
        expected = f"a prompt has no files: must be {', '.join(PROMPT_SOURCES)} or {PROMPT_SCHEME}<name>"
        raise InvalidArgument(field, source, expected)
    return source


def without_prompts(found: Expression | None) -> Expression:
    """The filter that finds the same without prompts; one that speaks of their tag decides by itself."""
    if found is None:
        return _IS_MODEL
    return _as_flag(found) if _speaks_of_prompts(found) else And((found, _IS_MODEL))


def _speaks_of_prompts(expression: Expression) -> bool:
    match expression:
        case And(operands) | Or(operands):
            return any(map(_speaks_of_prompts, operands))
        case Not(operand):
            return _speaks_of_prompts(operand)
        case Comparison():
            return expression.field == _FLAG


def _as_flag(expression: Expression) -> Expression:
    """What has no such tag is as good as one that says false."""
    match expression:
        case And(operands):
            return And(tuple(map(_as_flag, operands)))
        case Or(operands):
            return Or(tuple(map(_as_flag, operands)))
        case Not(operand):
            return Not(_as_flag(operand))
        case Comparison(field=field, operator=Operator.EQUAL | Operator.NOT_EQUAL as how, value=str() as value):
            said = value.lower()
            if field == _FLAG and said in ("true", "false"):
                return _IS_PROMPT if (said == "true") == (how is Operator.EQUAL) else _IS_MODEL
    return expression
