"""What fields the records of an evaluation dataset have, in the shape in which MLflow's clients read it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from trackwire_server.core.checks import check_characters
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.json_values import json_object, json_text, json_type, json_value
from trackwire_server.core.limits import LIMITS

VERSION = "1.0"


@dataclass(slots=True)
class Schema:
    """The type of each field, that of its first value. Outputs have fields, or one type where they are no object."""

    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] | str = field(default_factory=dict)
    expectations: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Self:
        """What `written` gave; empty text is the schema of no records."""
        if not text:
            return cls()
        said = json.loads(text)
        return cls(said["inputs"], said["outputs"], said["expectations"])

    def written(self) -> str:
        """As JSON."""
        parts = {"inputs": self.inputs, "outputs": self.outputs, "expectations": self.expectations}
        return json_text({**parts, "version": VERSION})

    def add(self, inputs: object, outputs: object, expectations: object) -> None:
        """Adds the fields of a record."""
        _add(self.inputs, _types(inputs))
        _add(self.expectations, _types(expectations))
        self._add_outputs(_types(outputs) if outputs is None or isinstance(outputs, dict) else json_type(outputs))

    def join(self, more: Self) -> None:
        """Adds all of another one's fields."""
        _add(self.inputs, more.inputs)
        _add(self.expectations, more.expectations)
        self._add_outputs(more.outputs)

    def _add_outputs(self, more: Mapping[str, str] | str) -> None:
        if not self.outputs and isinstance(more, str):
            self.outputs = more
        elif isinstance(self.outputs, dict) and not isinstance(more, str):
            _add(self.outputs, more)


def checked_schema(field: str, text: str) -> str:
    """A schema that somebody else wrote, in this shape; empty text is that of no records. Raises InvalidArgument."""
    if not text:
        return ""
    said = json_object(field, json_value(field, check_characters(field, text, LIMITS.dataset_schema_characters)))
    for name in ("inputs", "outputs", "expectations"):
        part = said.get(name)
        if not _is_fields(part) and not (name == "outputs" and isinstance(part, str)):
            raise InvalidArgument(field, text, f"{name} must be an object of the types of fields")
    return json_text(said)


def _is_fields(part: object) -> bool:
    return isinstance(part, dict) and all(isinstance(kind, str) for kind in part.values())


def _add(there: dict[str, str], more: Mapping[str, str]) -> None:
    for key, kind in more.items():
        there.setdefault(key, kind)


def _types(value: object) -> dict[str, str]:
    return {key: json_type(each) for key, each in value.items()} if isinstance(value, dict) else {}
