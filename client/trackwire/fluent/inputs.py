"""What a run was given, as tags: one for each dataset and context, so that no process overwrites another's.

trackwire.input.<16 hex digits>   {"dataset": {"name", "digest", "source_type", "source", "profile"}, "tags": {…}}
"""

from collections.abc import Mapping

INPUT_TAG_PREFIX = "trackwire.input."
CONTEXT_TAG = "mlflow.data.context"


def input_tag(dataset: object, context: str | None, tags: Mapping[str, object] | None) -> tuple[str, str]:
    """The tag that says that a run was given a dataset, which is one of `trackwire.data` or of MLflow's own."""
    describe = getattr(dataset, "to_dict", None)
    described = describe() if callable(describe) else None
    if not isinstance(described, dict) or not {"name", "digest"} <= described.keys():
        raise TypeError(f"dataset: must be one of trackwire.data, not a {type(dataset).__name__}")
    said = {} if context is None else {CONTEXT_TAG: context}
    return tag_of_input(described, {**(tags or {}), **said})


def tag_of_input(described: Mapping[str, object], tags: Mapping[str, object]) -> tuple[str, str]:
    """The tag for a dataset's own words and what is said of it as an input."""
    import hashlib
    import json

    # A schema may be larger than what a tag holds.
    words = {key: str(value) for key, value in described.items() if key != "schema"}
    said = {key: str(value) for key, value in tags.items()}
    identity = json.dumps([words["name"], words["digest"], said.get(CONTEXT_TAG, "")])
    key = INPUT_TAG_PREFIX + hashlib.sha256(identity.encode()).hexdigest()[:16]
    return key, json.dumps({"dataset": words, "tags": said}, ensure_ascii=False)
