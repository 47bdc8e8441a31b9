"""Every form that a filter may take, for each entity, and the tree that it means."""

import pytest

from trackwire_server.search import (
    EXPERIMENTS,
    ISSUES,
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    RUNS,
    And,
    Comparison,
    Expression,
    Field,
    FieldKind,
    MetricAggregate,
    Not,
    Operator,
    Or,
    Value,
    ValueType,
    Vocabulary,
    parse_filter,
)

BY_ENTITY = {"experiments": EXPERIMENTS, "runs": RUNS, "models": REGISTERED_MODELS, "versions": MODEL_VERSIONS}


def metric(key: str, aggregate: MetricAggregate = MetricAggregate.LAST) -> Field:
    kind = ValueType.INTEGER if aggregate is MetricAggregate.COUNT else ValueType.REAL
    return Field(FieldKind.METRIC, key, kind, aggregate)


def param(key: str) -> Field:
    return Field(FieldKind.PARAM, key, ValueType.STRING)


def tag(key: str) -> Field:
    return Field(FieldKind.TAG, key, ValueType.STRING)


def of_dataset(key: str) -> Field:
    return Field(FieldKind.DATASET, key, ValueType.STRING)


def parsed_field(identifier: str, vocabulary: Vocabulary = RUNS) -> Field:
    expression = parse_filter(f"{identifier} IS NULL", vocabulary)
    assert isinstance(expression, Comparison)
    return expression.field


@pytest.mark.parametrize(
    ("identifier", "field"),
    [
        ("metrics.loss", metric("loss")),
        ("metric.loss", metric("loss")),
        ("METRICS.Loss", metric("Loss")),
        ("metrics.loss.min", metric("loss", MetricAggregate.MIN)),
        ("metrics.loss.max", metric("loss", MetricAggregate.MAX)),
        ("metrics.loss.first", metric("loss", MetricAggregate.FIRST)),
        ("metrics.loss.last", metric("loss")),
        ("metrics.loss.count", metric("loss", MetricAggregate.COUNT)),
        ("metrics.max", metric("max")),
        ("dataset.name", of_dataset("name")),
        ("datasets.`digest`", of_dataset("digest")),
        ("DATASETS.Context", of_dataset("context")),
        ("metrics.loss.MAX", metric("loss.MAX")),
        ("metrics.a.b", metric("a.b")),
        ("metrics.a.b.max", metric("a.b", MetricAggregate.MAX)),
        ("metrics.`a.b`.max", metric("a.b", MetricAggregate.MAX)),
        ('metrics."loss.min"', metric("loss.min")),
        ("metrics.'loss.min'.min", metric("loss.min", MetricAggregate.MIN)),
        ("metrics.val/loss-1", metric("val/loss-1")),
        ("metrics.0", metric("0")),
        ("metrics.and", metric("and")),
        ("`metrics`.`a b`", metric("a b")),
        ("metrics.`val: loss / 1`", metric("val: loss / 1")),
        ("metrics.`a``b`", metric("a`b")),
        ("metrics.größe", metric("größe")),
        ("param.lr", param("lr")),
        ("params.lr", param("lr")),
        ("parameter.lr", param("lr")),
        ("parameters.lr", param("lr")),
        ("params.lr.max", param("lr.max")),
        ('params."say ""hi"""', param('say "hi"')),
        ("tag.k", tag("k")),
        ("tags.k", tag("k")),
        ("tags.mlflow.source.name", tag("mlflow.source.name")),
        ("tags.`mlflow.source.name`", tag("mlflow.source.name")),
    ],
)
def test_keys_and_aggregates(identifier: str, field: Field) -> None:
    assert parsed_field(identifier) == field


@pytest.mark.parametrize(
    ("entity", "written", "key", "value_type"),
    [
        *[
            ("runs", written, "run_name", ValueType.STRING)
            for written in ("run_name", "`run name`", '"Run name"', "attributes.`Run Name`", 'attr."Run Name"')
        ],
        *[
            ("runs", f"{prefix}{name}", "start_time", ValueType.INTEGER)
            for prefix in ("", "attribute.", "attributes.", "attr.", "run.")
            for name in ("start_time", "created", "Created")
        ],
        *[
            ("runs", name, name, ValueType.STRING)
            for name in ("run_id", "status", "artifact_uri", "user_id", "parent_run_id", "lifecycle_stage")
        ],
        ("runs", "experiment_id", "experiment_id", ValueType.INTEGER),
        ("runs", "end_time", "end_time", ValueType.INTEGER),
        ("runs", "heartbeat_time", "heartbeat_time", ValueType.INTEGER),
        ("experiments", "name", "name", ValueType.STRING),
        ("experiments", "attribute.name", "name", ValueType.STRING),
        ("experiments", "experiment_id", "experiment_id", ValueType.INTEGER),
        ("experiments", "creation_time", "creation_time", ValueType.INTEGER),
        ("experiments", "last_update_time", "last_update_time", ValueType.INTEGER),
        ("experiments", "lifecycle_stage", "lifecycle_stage", ValueType.STRING),
        ("models", "name", "name", ValueType.STRING),
        ("models", "description", "description", ValueType.STRING),
        ("models", "creation_timestamp", "creation_timestamp", ValueType.INTEGER),
        ("models", "creation_time", "creation_timestamp", ValueType.INTEGER),
        *[
            ("models", name, "last_updated_timestamp", ValueType.INTEGER)
            for name in ("timestamp", "last_updated_timestamp", "last_update_time")
        ],
        ("versions", "name", "name", ValueType.STRING),
        ("versions", "run_id", "run_id", ValueType.STRING),
        ("versions", "source_path", "source_path", ValueType.STRING),
        ("versions", "source", "source_path", ValueType.STRING),
        ("versions", "version_number", "version_number", ValueType.INTEGER),
        ("versions", "version", "version_number", ValueType.INTEGER),
        ("versions", "creation_timestamp", "creation_timestamp", ValueType.INTEGER),
        ("versions", "last_updated_timestamp", "last_updated_timestamp", ValueType.INTEGER),
        ("versions", "stage", "current_stage", ValueType.STRING),
        ("versions", "status", "status", ValueType.STRING),
    ],
)
def test_attributes_and_aliases(entity: str, written: str, key: str, value_type: ValueType) -> None:
    assert parsed_field(written, BY_ENTITY[entity]) == Field(FieldKind.ATTRIBUTE, key, value_type)


@pytest.mark.parametrize("entity", BY_ENTITY)
def test_every_entity_has_tags(entity: str) -> None:
    assert parsed_field("tags.`a b`", BY_ENTITY[entity]) == tag("a b")


@pytest.mark.parametrize(
    ("written", "operator", "value"),
    [
        ("= 'v'", Operator.EQUAL, "v"),
        ("== 'v'", Operator.EQUAL, "v"),
        ('="v"', Operator.EQUAL, "v"),
        ("!= 'v'", Operator.NOT_EQUAL, "v"),
        ("<> 'v'", Operator.NOT_EQUAL, "v"),
        ("LIKE '%v_'", Operator.LIKE, "%v_"),
        ("not like 'v'", Operator.NOT_LIKE, "v"),
        ("iLike'v'", Operator.ILIKE, "v"),
        ("NOT ILIKE 'v'", Operator.NOT_ILIKE, "v"),
        ("IN ('a', \"b\")", Operator.IN, ("a", "b")),
        ("IN('a',)", Operator.IN, ("a",)),
        ("NOT\n\tIN ('a')", Operator.NOT_IN, ("a",)),
        ("IS NULL", Operator.IS_NULL, None),
        ("is not null", Operator.IS_NOT_NULL, None),
        ("= 'it''s \"so\"'", Operator.EQUAL, 'it\'s "so"'),
        ('= "say ""it\'s"""', Operator.EQUAL, 'say "it\'s"'),
        ("= ''", Operator.EQUAL, ""),
        ("= 'AND ) OR ('", Operator.EQUAL, "AND ) OR ("),
    ],
)
@pytest.mark.parametrize("field", [param("k"), tag("k")])
def test_text_operators(field: Field, written: str, operator: Operator, value: Value) -> None:
    assert parse_filter(f"{field.kind}s.k {written}", RUNS) == Comparison(field, operator, value)


@pytest.mark.parametrize(
    ("written", "operator", "value"),
    [
        ("= 1", Operator.EQUAL, 1.0),
        ("!= -1.5", Operator.NOT_EQUAL, -1.5),
        ("<1e-3", Operator.LESS, 0.001),
        ("<= +.5", Operator.LESS_OR_EQUAL, 0.5),
        ("> 2.", Operator.GREATER, 2.0),
        (">=1E+3", Operator.GREATER_OR_EQUAL, 1000.0),
        ("IN (1, 2.5)", Operator.IN, (1.0, 2.5)),
        ("NOT IN (1)", Operator.NOT_IN, (1.0,)),
        ("IS NULL", Operator.IS_NULL, None),
        ("IS NOT NULL", Operator.IS_NOT_NULL, None),
        ("= nan", Operator.IS_NAN, None),
        ("<> NaN", Operator.IS_NOT_NAN, None),
        ("< inf", Operator.LESS, float("inf")),
        ("= -Infinity", Operator.EQUAL, float("-inf")),
    ],
)
def test_metric_operators(written: str, operator: Operator, value: Value) -> None:
    assert parse_filter(f"metrics.k {written}", RUNS) == Comparison(metric("k"), operator, value)


@pytest.mark.parametrize(
    ("filter_text", "value"),
    [
        ("start_time = 1700000000000", 1_700_000_000_000),
        ("start_time = 1.7e12", 1_700_000_000_000),
        ("start_time = -9223372036854775808", -(2**63)),
        ("start_time = 9223372036854775807", 2**63 - 1),
        ("start_time = 000000000000000000000007", 7),
        ("experiment_id = '12'", 12),
        ('experiment_id = "12"', 12),
        ("experiment_id = 12", 12),
        ("experiment_id IN ('1', 2)", (1, 2)),
        ("metrics.loss.count = 10", 10),
        ("status = 'finished'", "FINISHED"),
        ("status NOT IN ('Running', 'KILLED')", ("RUNNING", "KILLED")),
        ("status LIKE 'run%'", "run%"),
        ("lifecycle_stage = 'ACTIVE'", "active"),
    ],
)
def test_attribute_values_have_the_attributes_type(filter_text: str, value: Value) -> None:
    expression = parse_filter(filter_text, RUNS)
    assert isinstance(expression, Comparison)
    assert expression.value == value
    assert type(expression.value) is type(value)


def test_stage_is_found_in_any_case() -> None:
    stage = Field(FieldKind.ATTRIBUTE, "current_stage", ValueType.STRING)
    assert parse_filter("stage = 'production'", MODEL_VERSIONS) == Comparison(stage, Operator.EQUAL, "Production")


@pytest.mark.parametrize(
    ("written", "operator", "value"),
    [
        ("= 'high'", Operator.EQUAL, 4),
        ("!= 'LOW'", Operator.NOT_EQUAL, 2),
        ('>= "Medium"', Operator.GREATER_OR_EQUAL, 3),
        ("IN ('not_an_issue', 'high')", Operator.IN, (1, 4)),
        ("IS NULL", Operator.IS_NULL, None),
    ],
)
def test_rank_is_a_number_in_the_tree(written: str, operator: Operator, value: Value) -> None:
    severity = Field(FieldKind.ATTRIBUTE, "severity", ValueType.INTEGER)
    assert parse_filter(f"severity {written}", ISSUES) == Comparison(severity, operator, value)


def test_one_of_several_values_is_named_in_either_number() -> None:
    categories = Field(FieldKind.ATTRIBUTE, "categories", ValueType.STRING)
    for name in ("categories", "category", "attributes.Categories"):
        assert parse_filter(f"{name} = 'cost'", ISSUES) == Comparison(categories, Operator.EQUAL, "cost")


def present(key: str) -> Comparison:
    return Comparison(tag(key), Operator.IS_NOT_NULL)


A, B, C = present("a"), present("b"), present("c")


@pytest.mark.parametrize(
    ("pattern", "expression"),
    [
        ("{a} AND {b} AND {c}", And((A, B, C))),
        ("{a} or {b} OR {c}", Or((A, B, C))),
        ("{a} OR {b} AND {c}", Or((A, And((B, C))))),
        ("{a} AND {b} OR {c}", Or((And((A, B)), C))),
        ("({a} OR {b}) AND {c}", And((Or((A, B)), C))),
        ("NOT {a} AND {b}", And((Not(A), B))),
        ("NOT ({a} AND {b})", Not(And((A, B)))),
        ("not not {a}", Not(Not(A))),
        ("NOT({a})and({b})or({c})", Or((And((Not(A), B)), C))),
        ("(({a}))", A),
        ("({a} AND {b}) AND {c}", And((And((A, B)), C))),
    ],
)
def test_not_binds_tighter_than_and_and_and_than_or(pattern: str, expression: Expression) -> None:
    names = {key: f"tags.{key} IS NOT NULL" for key in "abc"}
    assert parse_filter(pattern.format(**names), RUNS) == expression


@pytest.mark.parametrize("blank", ["", "   ", "\n\t"])
def test_blank_filter_is_none(blank: str) -> None:
    assert parse_filter(blank, RUNS) is None


def test_filter_added_by_registry_clients_parses() -> None:
    expression = parse_filter("name = 'm' AND tag.`mlflow.prompt.is_prompt` != 'true'", REGISTERED_MODELS)
    name = Comparison(Field(FieldKind.ATTRIBUTE, "name", ValueType.STRING), Operator.EQUAL, "m")
    assert expression == And((name, Comparison(tag("mlflow.prompt.is_prompt"), Operator.NOT_EQUAL, "true")))
