"""What each entity can be searched and ordered by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from trackwire_server.search.tree import Field, FieldKind, OrderTerm, ValueType

INTEGER, STRING = ValueType.INTEGER, ValueType.STRING

ATTRIBUTE_PREFIXES = ("attribute", "attributes", "attr", "run")
METRIC_PREFIXES = ("metric", "metrics")
PARAM_PREFIXES = ("param", "params", "parameter", "parameters")
TAG_PREFIXES = ("tag", "tags")
DATASET_PREFIXES = ("dataset", "datasets")
PREFIX_KINDS = (
    dict.fromkeys(ATTRIBUTE_PREFIXES, FieldKind.ATTRIBUTE)
    | dict.fromkeys(METRIC_PREFIXES, FieldKind.METRIC)
    | dict.fromkeys(PARAM_PREFIXES, FieldKind.PARAM)
    | dict.fromkeys(TAG_PREFIXES, FieldKind.TAG)
    | dict.fromkeys(DATASET_PREFIXES, FieldKind.DATASET)
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """`choices`, when given, are all the values there are, in the spelling that is stored; any case finds them.

    An `is_id` attribute is an integer that may also be written quoted, as ids are on the wire. One that
    `is_time` is in Unix milliseconds. One with `ranks` is one of these texts, from the lowest on; it is kept, compared
    and ordered by its place among them, from 1. An entity may have several values of one that `is_list`.
    """

    name: str
    type: ValueType
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    is_id: bool = False
    is_time: bool = False
    ranks: tuple[str, ...] = ()
    is_list: bool = False

    @property
    def field(self) -> Field:
        return Field(FieldKind.ATTRIBUTE, self.name, self.type)


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """One entity's searchable names and its orders.

    `dataset_keys` are what is known of each of its datasets, where it has some.
    `default_order` is used when none is asked for, `tie_order` after whatever is; both hold every one of `unique_key`.
    """

    entity: str
    attributes: tuple[Attribute, ...]
    keyed_kinds: frozenset[FieldKind]
    unique_key: tuple[Field, ...]
    default_order: tuple[OrderTerm, ...]
    tie_order: tuple[OrderTerm, ...]
    dataset_keys: tuple[str, ...] = ()

    @cached_property
    def attributes_by_name(self) -> dict[str, Attribute]:
        return {name: attribute for attribute in self.attributes for name in (attribute.name, *attribute.aliases)}

    def attribute(self, name: str) -> Attribute | None:
        """Finds it by name or alias; case doesn't count and spaces are underscores ("Run Name" is run_name)."""
        return self.attributes_by_name.get("_".join(name.lower().split()))

    def is_list(self, field: Field) -> bool:
        """Whether an entity may have several values of this field."""
        attribute = self.attribute(field.key) if field.kind is FieldKind.ATTRIBUTE else None
        return field.kind is FieldKind.DATASET or (attribute is not None and attribute.is_list)

    def what_is(self, field: Field) -> str:
        """What the field's values are, for people."""
        if field.type is STRING:
            return "text"
        attribute = self.attribute(field.key) if field.kind is FieldKind.ATTRIBUTE else None
        return f"one of {', '.join(attribute.ranks)}" if attribute is not None and attribute.ranks else "a number"

    @cached_property
    def prefixes(self) -> tuple[str, ...]:
        kinds = self.keyed_kinds | {FieldKind.ATTRIBUTE} | ({FieldKind.DATASET} if self.dataset_keys else set())
        return tuple(prefix for prefix, kind in PREFIX_KINDS.items() if kind in kinds)


LIFECYCLE_STAGE = Attribute("lifecycle_stage", STRING, choices=("active", "deleted"))
EXPERIMENT_ID = Attribute("experiment_id", INTEGER, is_id=True)
NAME = Attribute("name", STRING)
RUN_ID = Attribute("run_id", STRING)
CREATION_TIMESTAMP = Attribute("creation_timestamp", INTEGER, aliases=("creation_time",), is_time=True)
LAST_UPDATED_TIMESTAMP = Attribute(
    "last_updated_timestamp", INTEGER, aliases=("timestamp", "last_update_time"), is_time=True
)


def _experiments() -> Vocabulary:
    creation_time = Attribute("creation_time", INTEGER, is_time=True)
    last_update_time = Attribute("last_update_time", INTEGER, is_time=True)
    experiment_id = EXPERIMENT_ID.field
    return Vocabulary(
        entity="experiments",
        attributes=(NAME, EXPERIMENT_ID, creation_time, last_update_time, LIFECYCLE_STAGE),
        keyed_kinds=frozenset({FieldKind.TAG}),
        unique_key=(experiment_id,),
        default_order=(OrderTerm(creation_time.field, descending=True), OrderTerm(experiment_id)),
        tie_order=(OrderTerm(experiment_id, descending=True),),
    )


def _runs() -> Vocabulary:
    start_time = Attribute("start_time", INTEGER, aliases=("created",), is_time=True)
    order = (OrderTerm(start_time.field, descending=True), OrderTerm(RUN_ID.field))
    return Vocabulary(
        entity="runs",
        attributes=(
            RUN_ID,
            Attribute("run_name", STRING),
            Attribute("status", STRING, choices=("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")),
            Attribute("artifact_uri", STRING),
            Attribute("user_id", STRING),
            EXPERIMENT_ID,
            Attribute("parent_run_id", STRING),
            LIFECYCLE_STAGE,
            start_time,
            Attribute("end_time", INTEGER, is_time=True),
            Attribute("heartbeat_time", INTEGER, is_time=True),
        ),
        keyed_kinds=frozenset({FieldKind.METRIC, FieldKind.PARAM, FieldKind.TAG}),
        unique_key=(RUN_ID.field,),
        default_order=order,
        tie_order=order,
        dataset_keys=("name", "digest", "context"),
    )


def _registered_models() -> Vocabulary:
    order = (OrderTerm(NAME.field),)
    return Vocabulary(
        entity="registered models",
        attributes=(NAME, CREATION_TIMESTAMP, LAST_UPDATED_TIMESTAMP, Attribute("description", STRING)),
        keyed_kinds=frozenset({FieldKind.TAG}),
        unique_key=(NAME.field,),
        default_order=order,
        tie_order=order,
    )


def _model_versions() -> Vocabulary:
    version_number = Attribute("version_number", INTEGER, aliases=("version",))
    ties = (OrderTerm(NAME.field), OrderTerm(version_number.field, descending=True))
    stages = ("None", "Staging", "Production", "Archived")
    return Vocabulary(
        entity="model versions",
        attributes=(
            NAME,
            RUN_ID,
            Attribute("source_path", STRING, aliases=("source",)),
            version_number,
            CREATION_TIMESTAMP,
            LAST_UPDATED_TIMESTAMP,
            Attribute("current_stage", STRING, aliases=("stage",), choices=stages),
            Attribute("status", STRING),
        ),
        keyed_kinds=frozenset({FieldKind.TAG}),
        unique_key=(NAME.field, version_number.field),
        default_order=(OrderTerm(LAST_UPDATED_TIMESTAMP.field, descending=True), *ties),
        tie_order=ties,
    )


def _logged_models() -> Vocabulary:
    creation_timestamp = Attribute(
        "creation_timestamp", INTEGER, aliases=("creation_time", "creation_timestamp_ms"), is_time=True
    )
    last_updated_timestamp = Attribute(
        "last_updated_timestamp", INTEGER, aliases=("last_update_time", "last_updated_timestamp_ms"), is_time=True
    )
    model_id = Attribute("model_id", STRING)
    order = (OrderTerm(creation_timestamp.field, descending=True), OrderTerm(model_id.field))
    return Vocabulary(
        entity="logged models",
        attributes=(
            NAME,
            model_id,
            Attribute("status", STRING, choices=("PENDING", "READY", "UPLOAD_FAILED")),
            Attribute("model_type", STRING),
            Attribute("source_run_id", STRING),
            EXPERIMENT_ID,
            creation_timestamp,
            last_updated_timestamp,
        ),
        keyed_kinds=frozenset({FieldKind.METRIC, FieldKind.PARAM, FieldKind.TAG}),
        unique_key=(model_id.field,),
        default_order=order,
        tie_order=order,
    )


def _issues() -> Vocabulary:
    severity = Attribute("severity", INTEGER, ranks=("NOT_AN_ISSUE", "LOW", "MEDIUM", "HIGH"))
    creation_timestamp = Attribute(
        "creation_timestamp", INTEGER, aliases=("creation_time", "created_timestamp"), is_time=True
    )
    issue_id = Attribute("issue_id", STRING)
    newest = (OrderTerm(creation_timestamp.field, descending=True), OrderTerm(issue_id.field))
    return Vocabulary(
        entity="issues",
        attributes=(
            NAME,
            issue_id,
            Attribute("description", STRING),
            Attribute("status", STRING, choices=("PENDING", "REJECTED", "RESOLVED")),
            severity,
            Attribute("categories", STRING, aliases=("category",), is_list=True),
            Attribute("source_run_id", STRING),
            Attribute("created_by", STRING),
            Attribute("last_updated_by", STRING),
            EXPERIMENT_ID,
            creation_timestamp,
            LAST_UPDATED_TIMESTAMP,
            Attribute("last_seen_timestamp", INTEGER, aliases=("last_seen_time",), is_time=True),
        ),
        keyed_kinds=frozenset(),
        unique_key=(issue_id.field,),
        default_order=(OrderTerm(severity.field, descending=True), *newest),
        tie_order=newest,
    )


EXPERIMENTS = _experiments()
RUNS = _runs()
REGISTERED_MODELS = _registered_models()
MODEL_VERSIONS = _model_versions()
LOGGED_MODELS = _logged_models()
ISSUES = _issues()
