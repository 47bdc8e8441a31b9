"""What a run was given, as tags: one for each dataset and context, so that no process overwrites another's.

trackwire.input.<16 hex digits>   {"dataset": {"name", "digest", "source_type", "source", "profile"}, "tags": {…}}
"""

from collections.abc import Mapping

INPUT_TAG_PREFIX = "trackwire.input."
CONTEXT_TAG = "mlflow.data.context"


def input_tag(dataset: object, context: str | None, tags: Mapping[str, object] | None) -> tuple[str, str]:
    """The tag that says that a run was given a dataset, which is one of `trackwire.data` or of MLflow's own."""
    import hashlib
    import json

    describe = getattr(dataset, "to_dict", None)
    described = describe() if callable(describe) else None
    if not isinstance(described, dict) or not {"name", "digest"} <= described.keys():
        raise TypeError(f"dataset: must be one of trackwire.data, not a {type(dataset).__name__}")
    # A schema may be larger than what a tag holds.
    words = {key: str(value) for key, value in described.items() if key != "schema"}
    said = {key: str(value) for key, value in (tags or {}).items()}
    if context is not None:
        said[CONTEXT_TAG] = context
    identity = json.dumps([words["name"], words["digest"], context or ""])
    key = INPUT_TAG_PREFIX + hashlib.sha256(identity.encode()).hexdigest()[:16]
    return key, json.dumps({"dataset": words, "tags": said}, ensure_ascii=False)
