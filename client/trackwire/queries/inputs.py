"""What runs were given, out of the tags that say it."""

import json
from collections.abc import Mapping

from trackwire.fluent.inputs import INPUT_TAG_PREFIX
from trackwire.queries.entities import Dataset, DatasetInput, InputTag


def inputs_of(tags: Mapping[str, str]) -> list[DatasetInput]:
    """A run's datasets by name. A tag that says something else under such a key is only a tag: anybody may set one."""
    found = [_input_of(value) for key, value in tags.items() if key.startswith(INPUT_TAG_PREFIX)]
    return sorted((each for each in found if each is not None), key=lambda each: each.dataset.name)


def _input_of(text: str) -> DatasetInput | None:
    try:
        said = json.loads(text)
        dataset = Dataset(**{key: str(value) for key, value in said["dataset"].items()})
        return DatasetInput(dataset, [InputTag(str(key), str(value)) for key, value in said["tags"].items()])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
