"""The filter and order-by language: text to a typed tree that knows no SQL."""

from trackwire_server.search.errors import SearchSyntaxError
from trackwire_server.search.evaluate import Lookup, compare, evaluate
from trackwire_server.search.like import like_to_regex, matches_like
from trackwire_server.search.limits import SEARCH_LIMITS, SearchLimits
from trackwire_server.search.ordering import SortKey, sort_key
from trackwire_server.search.parser import of_datasets, parse_filter, parse_order_by
from trackwire_server.search.presence import PROMPT_TAG, requiring_tags
from trackwire_server.search.text import field_to_text, order_term_to_text, to_text
from trackwire_server.search.tree import (
    NEGATIVE_OPERATORS,
    And,
    Comparison,
    Expression,
    Field,
    FieldKind,
    MetricAggregate,
    MetricDataset,
    Not,
    Operator,
    Or,
    OrderTerm,
    Scalar,
    Value,
    ValueType,
)
from trackwire_server.search.vocabulary import (
    EXPERIMENTS,
    ISSUES,
    LOGGED_MODELS,
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    RUNS,
    Attribute,
    Vocabulary,
)

__all__ = [
    "EXPERIMENTS",
    "ISSUES",
    "LOGGED_MODELS",
    "MODEL_VERSIONS",
    "NEGATIVE_OPERATORS",
    "PROMPT_TAG",
    "REGISTERED_MODELS",
    "RUNS",
    "SEARCH_LIMITS",
    "And",
    "Attribute",
    "Comparison",
    "Expression",
    "Field",
    "FieldKind",
    "Lookup",
    "MetricAggregate",
    "MetricDataset",
    "Not",
    "Operator",
    "Or",
    "OrderTerm",
    "Scalar",
    "SearchLimits",
    "SearchSyntaxError",
    "SortKey",
    "Value",
    "ValueType",
    "Vocabulary",
    "compare",
    "evaluate",
    "field_to_text",
    "like_to_regex",
    "matches_like",
    "of_datasets",
    "order_term_to_text",
    "parse_filter",
    "parse_order_by",
    "requiring_tags",
    "sort_key",
    "to_text",
]
