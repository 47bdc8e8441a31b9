"""Lists that MLflow keeps in a tag, as JSON: which models a run has logged, which versions were made of a model."""

import json


def entries_in(tag: str) -> list[object] | None:
    """The entries of a list, none of an empty tag; None where somebody has put something else there."""
    try:
        entries = json.loads(tag or "[]")
    except (ValueError, RecursionError):
        return None
    return entries if isinstance(entries, list) else None
