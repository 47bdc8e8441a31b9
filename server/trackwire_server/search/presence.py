"""The other way to read a negation of a tag: as MLflow does, where only a tag that is there can differ."""

from __future__ import annotations

from trackwire_server.search.tree import And, Comparison, Expression, FieldKind, Not, Operator, Or

# MLflow itself leaves out what has this tag, and means also what hasn't got it.
PROMPT_TAG = "mlflow.prompt.is_prompt"


def requiring_tags(expression: Expression) -> Expression:
    """The same filter, in which `tags.x != 'v'` holds of nothing that has no tag x."""
    match expression:
        case And(operands):
            return And(tuple(map(requiring_tags, operands)))
        case Or(operands):
            return Or(tuple(map(requiring_tags, operands)))
        case Not(operand):
            return Not(requiring_tags(operand))
        case Comparison(field, operator) if (
            expression.matches_missing
            and operator is not Operator.IS_NULL
            and field.kind is FieldKind.TAG
            and field.key != PROMPT_TAG
        ):
            return And((expression, Comparison(field, Operator.IS_NOT_NULL)))
    return expression
