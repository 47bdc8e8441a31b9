"""Filters as mlflow means them: a tag that is not there does not differ from anything."""

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


def _quoted(key: str) -> str:
    return f'"{key}"' if "`" in key else f"`{key}`"
