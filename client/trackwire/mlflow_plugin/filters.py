"""Filters as mlflow means them: a tag that is not there does not differ from anything."""

from collections.abc import Sequence

from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import (
    SearchEvaluationDatasetsUtils,
    SearchExperimentsUtils,
    SearchLoggedModelsUtils,
    SearchUtils,
)

# mlflow itself leaves out what has this tag, and means also what hasn't got it.
PROMPT_TAG = "mlflow.prompt.is_prompt"
# Of a tag that is missing, Trackwire's language says that it holds. mlflow has no other negation of tags.
_NEGATION = "!="


def run_filter(filter_string: str) -> str:
    """A filter of runs."""
    return _requiring_tags(SearchUtils, filter_string)


def experiment_filter(filter_string: str) -> str:
    """A filter of experiments."""
    return _requiring_tags(SearchExperimentsUtils, filter_string)


def logged_model_filter(filter_string: str) -> str:
    """A filter of logged models."""
    return _requiring_tags(SearchLoggedModelsUtils, filter_string)


def issue_filter(
    filter_string: str,
    *,
    name: str = "",
    statuses: Sequence[str] = (),
    severities: Sequence[str] = (),
    categories: Sequence[str] = (),
) -> str:
    """A filter of issues with all that is asked beside it: a part of the name, and lists of which one must be so."""
    conditions = [
        f"({filter_string})" if filter_string.strip() else "",
        f"name ILIKE {_text(f'%{name}%')}" if name else "",
        f"status IN ({', '.join(map(_text, statuses))})" if statuses else "",
        f"severity IN ({', '.join(map(_text, severities))})" if severities else "",
        f"({' OR '.join(f'categories ILIKE {_text(each)}' for each in categories)})" if categories else "",
    ]
    asked = [condition for condition in conditions if condition]
    return " AND ".join(asked) if len(asked) > 1 else filter_string or "".join(asked)


def evaluation_dataset_filter(filter_string: str) -> str:
    """A filter of evaluation datasets."""
    return _requiring_tags(SearchEvaluationDatasetsUtils, filter_string)


def _requiring_tags(language: type[SearchUtils], filter_string: str) -> str:
    """The same filter, in which `tags.x != 'v'` holds of nothing that has no tag x."""
    if _NEGATION not in filter_string:
        return filter_string
    try:
        comparisons = language.parse_search_filter(filter_string)
    except MlflowException:
        # Not of mlflow's language, such as one with OR: the server reads it by its own rules, or says what is wrong.
        return filter_string
    keys = dict.fromkeys(
        comparison["key"]
        for comparison in comparisons
        if comparison["type"] == "tag" and comparison["comparator"] == _NEGATION and comparison["key"] != PROMPT_TAG
    )
    return " AND ".join([filter_string, *(f"tags.{_quoted(key)} IS NOT NULL" for key in keys)])


def _text(value: str) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _quoted(key: str) -> str:
    return f'"{key}"' if "`" in key else f"`{key}`"
