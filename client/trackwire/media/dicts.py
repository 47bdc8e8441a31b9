"""A dictionary as JSON or YAML, by the suffix."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trackwire.media.packages import import_optional
from trackwire.media.plain import without_arrays

YAML_SUFFIXES = frozenset({".yaml", ".yml"})


def write_dict(dictionary: object, path: Path) -> None:
    """Writes YAML to .yaml and .yml, and JSON to any other suffix.

    Arrays become lists; what neither format knows becomes its `str()`. In JSON, NaN and Infinity stand as Python's
    `json` writes and reads them.
    """
    text = _yaml(dictionary, path) if path.suffix.lower() in YAML_SUFFIXES else _json(dictionary)
    path.write_text(text, encoding="utf-8", newline="")


def _json(dictionary: object) -> str:
    try:
        return json.dumps(dictionary, indent=2, default=_plain)
    except (TypeError, ValueError) as error:
        # A key that is no name or number, or a dictionary that contains itself.
        raise type(error)(f"dictionary: {error}") from None


def _yaml(dictionary: object, path: Path) -> str:
    yaml = import_optional("yaml", package="pyyaml", purpose=f"log_dict to {path.suffix}")

    # The safe dumper writes what safe_load reads: no tags that name Python's classes.
    class Dumper(yaml.SafeDumper):  # type: ignore[misc, name-defined]  # The class is known only once it is imported.
        pass

    def represent(dumper: Any, value: object) -> Any:
        return dumper.represent_data(_plain(value))

    Dumper.add_multi_representer(object, represent)
    return str(yaml.dump(dictionary, Dumper=Dumper, indent=2, default_flow_style=False, sort_keys=False))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    plain = without_arrays(value)
    return str(value) if plain is value else plain
