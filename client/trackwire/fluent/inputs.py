"""What a run was given, as words that the recorder keeps until they are written: one dataset, or one model, at a time.

{"name", "digest", "source_type", "source", "schema", "profile", "tags.<key>" …}    or    {"model_id"}
"""

from collections.abc import Iterator, Mapping, Sequence

from trackwire.errors import InvalidArgumentError
from trackwire.fluent.checks import MODEL_ID_CHARACTERS_MAX, checked_text, required_text

CONTEXT_TAG = "mlflow.data.context"
TAG_PREFIX = "tags."
TAG_KEY_CHARACTERS_MAX = 255
TAG_VALUE_CHARACTERS_MAX = 500
TAGS_MAX = 1_000
# What a request may have, less what stands around these words.
BYTES_MAX = 31 * 1024 * 1024
# Of a dataset, each part with the characters that it may have.
PARTS_CHARACTERS_MAX = {
    "name": 500,
    "digest": 36,
    "source_type": 250,
    "source": 65_535,
    "schema": 1_048_575,
    "profile": 16_777_215,
}
_REQUIRED = ("name", "digest")


def words_of_inputs(
    datasets: Sequence[object] | None,
    contexts: Sequence[str | None] | None,
    tags_list: Sequence[Mapping[str, object] | None] | None,
    models: Sequence[object] | None,
) -> list[dict[str, str]]:
    """What is said of datasets, each with its context and tags, and of models; those that are None are passed over."""
    datasets = datasets or ()
    contexts = [None] * len(datasets) if contexts is None else contexts
    tags_list = [None] * len(datasets) if tags_list is None else tags_list
    if not len(datasets) == len(contexts) == len(tags_list):
        raise InvalidArgumentError(
            f"log_inputs: {len(datasets)} datasets, {len(contexts)} contexts and {len(tags_list)} sets of tags:"
            " must be as many of each"
        )
    given = [
        _words_of(dataset, context, tags)
        for dataset, context, tags in zip(datasets, contexts, tags_list, strict=True)
        if dataset is not None
    ]
    return [*given, *({"model_id": _model_id(model)} for model in models or () if model is not None)]


def _words_of(dataset: object, context: str | None, tags: Mapping[str, object] | None) -> dict[str, str]:
    """Of one of `trackwire.data` or of MLflow's own."""
    describe = getattr(dataset, "to_dict", None)
    described = describe() if callable(describe) else None
    if not isinstance(described, dict) or not described.keys() >= set(_REQUIRED):
        raise TypeError(f"dataset: must be one of trackwire.data, not a {type(dataset).__name__}")
    said = {} if context is None else {CONTEXT_TAG: context}
    words = {**dict(_parts(described)), **dict(_tags({**(tags or {}), **said}))}
    # Characters are up to four bytes.
    if sum(map(len, words.values())) > BYTES_MAX // 4:
        size = sum(len(text.encode()) for text in words.values())
        if size > BYTES_MAX:
            raise InvalidArgumentError(f"dataset: {words['name'][:60]!r}: has {size:,} bytes, at most {BYTES_MAX:,}")
    return words


def _parts(described: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for part, characters_max in PARTS_CHARACTERS_MAX.items():
        value = described.get(part)
        check = required_text if part in _REQUIRED else checked_text
        yield part, check(f"dataset.{part}", "" if value is None else value, characters_max)


def _tags(tags: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    if len(tags) > TAGS_MAX:
        raise InvalidArgumentError(f"tags: {len(tags):,} of a dataset: at most {TAGS_MAX:,} are allowed")
    for key, value in tags.items():
        name = required_text("tags", key, TAG_KEY_CHARACTERS_MAX)
        yield TAG_PREFIX + name, checked_text(f"tags[{key!r}]", value, TAG_VALUE_CHARACTERS_MAX)


def _model_id(model: object) -> str:
    model_id = getattr(model, "model_id", None)
    if not isinstance(model_id, str):
        raise TypeError(f"model: must have a model_id, which a {type(model).__name__} does not")
    return required_text("model.model_id", model_id, MODEL_ID_CHARACTERS_MAX)
