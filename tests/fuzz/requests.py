"""Random requests, made from descriptors: each field is left out, hostile, or such that deep code is reached."""

import random
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from trackwire.v1 import (
    admin_pb2,
    artifacts_pb2,
    evaluation_datasets_pb2,
    experiments_pb2,
    imports_pb2,
    issues_pb2,
    logged_models_pb2,
    metrics_pb2,
    model_registry_pb2,
    runs_pb2,
)

FILES = (
    experiments_pb2,
    runs_pb2,
    metrics_pb2,
    artifacts_pb2,
    model_registry_pb2,
    logged_models_pb2,
    issues_pb2,
    evaluation_datasets_pb2,
    imports_pb2,
    admin_pb2,
)
SERVICES: Sequence[ServiceDescriptor] = [
    service for file in FILES for service in file.DESCRIPTOR.services_by_name.values()
]
METHODS: Mapping[str, MethodDescriptor] = {
    f"/{service.full_name}/{method.name}": method for service in SERVICES for method in service.methods
}

HOSTILE_TEXTS = (
    "",
    " ",
    "0",
    "-1",
    "../../etc/passwd",
    "/etc/passwd",
    "a/../b",
    "%2e%2e/%2e%2e",
    "..\\..",
    "a\0b",
    "\u202eevil\ufffe",
    "😀" * 63,
    "'; DROP TABLE runs; --",
    "' OR '1'='1",
    '"; --',
    "%s%n{0}",
    "x" * 251,
    "y" * 65_537,
    "9" * 30,
    "nan",
    "1e999",
    "\n\r\t",
    "ＡＢＣ",
    "İ",
)
INTEGERS = (0, 1, 2, -1, 100, 1_760_000_000_000, 253_402_300_799_999, 253_402_300_800_000)
# What an integer of this name is where the request means well.
SUITABLE: Mapping[str, Sequence[int]] = {
    "counts": (1,),
    "context_indexes": (0,),
    "sequence": (1, 2, 3, 10),
    "previous_sequence": (0, 0, 0, 1),
    "page_size": (0, 0, 1, 2),
    "max_points": (0, 4, 10),
    "size_bytes": (3,),
    "offset": (0, 0, 3),
    # Of a map: the place of a clause.
    "key": (0, 0, 1),
    "older_than_ms": (0, 0, 86_400_000),
}
REALS = (0.0, -0.0, 1.5, float("nan"), float("inf"), float("-inf"), 5e-324)
FILTERS = (
    "",
    "",
    "",
    "",
    "",
    "",
    "name != 'x'",
    "name LIKE '%'",
    "tags.a = 'b'",
    "metrics.loss < 0.5 AND params.lr = '0.1'",
    "tags.a != 'b' OR NOT (name LIKE '%x%')",
    "attributes.start_time > 99999999999999999999",
    "metrics.`a b`.max >= -1e400",
    "params.x IN ('a', 'b')",
    "datasets.name LIKE '%' AND NOT dataset.context = 'some text'",
    "name ILIKE 'İ%' AND tags.`mlflow.runName` IS NULL",
    "((((((((((name = 'a'))))))))))",
    "NOT " * 600 + "name = 'a'",
    "(" * 5_000,
    "name = 'unfinished",
    "metrics.loss = 'text'",
    "version_number = 1 AND run_id = 'run'",
    "run_id IN (" + ",".join(["'a'"] * 2_000) + ")",
    "\0",
    "a OR",
    "severity >= 'medium' AND categories LIKE '%' OR status = 'pending'",
    "attributes.status = 'RUNNING' AND attributes.end_time IS NULL",
    " OR ".join(["metrics.loss > 1"] * 300),
)
ORDERS: Mapping[str, Sequence[str]] = {
    "SearchExperimentsRequest": ("name", "creation_time DESC", "last_update_time ASC", "experiment_id"),
    "SearchRunsRequest": ("metrics.loss DESC", "params.lr ASC", "attributes.start_time", "tags.a", "status"),
    "SearchRegisteredModelsRequest": ("name DESC", "last_updated_timestamp", "creation_timestamp ASC"),
    "SearchLoggedModelsRequest": ("metrics.loss DESC", "params.lr", "creation_timestamp", "tags.a", "model_id"),
    "SearchIssuesRequest": ("severity DESC", "last_seen_timestamp", "issue_id", "status"),
    "SearchEvaluationDatasetsRequest": ("name DESC", "created_time", "last_update_time", "tags.a", "dataset_id"),
    "SearchModelVersionsRequest": ("version_number DESC", "name", "last_updated_timestamp", "creation_timestamp"),
}
BAD_ORDERS = ("nothing.there", "a b c", "\0", "name", "metrics.loss", "version_number")


@dataclass(slots=True)
class Pools:
    """Texts by the name of the field that they suit: ids of what exists, tokens that the server gave."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    blobs: dict[str, list[bytes]] = field(default_factory=dict)

    def of(self, name: str) -> Sequence[str]:
        """What suits a field, whether it is one or many."""
        return self.texts.get(name) or self.texts.get(name.removesuffix("s"), ())

    def bytes_of(self, name: str) -> Sequence[bytes]:
        """Likewise, of bytes."""
        return [*self.blobs.get(name, ()), b"", bytes(32), bytes(5_000)]

    def add(self, name: str, value: str) -> None:
        """Remembers a value; the oldest but the first few give way."""
        known = self.texts.setdefault(name, [])
        if value and value not in known:
            known.append(value)
        if len(known) > 15:
            del known[10]


class Requests:
    """A source of random requests. Half of them mean well: most of their fields are right, so that deep code runs."""

    def __init__(self, source: random.Random, pools: Pools):
        self._source = source
        self._pools = pools
        self._hostility = 0.0
        self._presence = 1.0
        self._length = 1

    def stream_of(self, descriptor: Descriptor) -> list[bytes]:
        """Messages of one stream: in the order of the oneof's fields, or in any."""
        if self._source.random() < 0.5:
            return [self.bytes_of(descriptor) for _ in range(self._source.choice((0, 1, 2, 3)))]
        self._choose_manners()
        parts: list[bytes] = []
        for each in descriptor.fields:
            message: Message = GetMessageClass(descriptor)()
            self._fill(message, each)
            parts.append(message.SerializeToString())
        return parts

    def bytes_of(self, descriptor: Descriptor) -> bytes:
        """A request, mostly well-formed; now and then bytes that are no message."""
        if self._source.random() < 0.05:
            return self._source.randbytes(self._source.choice((1, 7, 40)))
        self._choose_manners()
        content: bytes = self._message(descriptor).SerializeToString()
        if content and self._source.random() < 0.05:
            at = self._source.randrange(len(content))
            return content[:at] + self._source.randbytes(1) + content[at + 1 :]
        return content

    def _choose_manners(self) -> None:
        self._hostility = self._source.choice((0.0, 0.02, 0.1, 0.4))
        self._presence = self._source.choice((0.5, 1.0, 1.0))
        self._length = self._source.choice((1, 1, 2, 3))

    def _message(self, descriptor: Descriptor) -> Message:
        message: Message = GetMessageClass(descriptor)()
        for each in descriptor.fields:
            choice = each.containing_oneof
            if choice is not None and message.WhichOneof(choice.name) and self._source.random() < 0.5:
                continue
            # Ids come first in every message; without one, nothing further is reached.
            if (each.number <= 2 and not self._is_hostile()) or self._source.random() < self._presence:
                self._fill(message, each)
        return message

    def _is_hostile(self) -> bool:
        return self._source.random() < self._hostility

    def _fill(self, message: Message, each: FieldDescriptor) -> None:
        length = self._source.choice((0, 1, 5)) if self._is_hostile() else self._length
        if each.message_type is not None and each.message_type.GetOptions().map_entry:
            for _ in range(length):
                self._fill_entry(getattr(message, each.name), each.message_type)
        elif each.is_repeated:
            for _ in range(length):
                self._append(getattr(message, each.name), each)
        elif each.message_type is not None:
            getattr(message, each.name).CopyFrom(self._message(each.message_type))
        else:
            setattr(message, each.name, self._scalar(each))

    def _fill_entry(self, entries: MutableMapping[object, object], entry: Descriptor) -> None:
        key_type, value_type = entry.fields_by_name["key"], entry.fields_by_name["value"]
        key = self._text("key") if key_type.type == FieldDescriptor.TYPE_STRING else self._scalar(key_type)
        if value_type.message_type is None:
            entries[key] = self._scalar(value_type)
        else:
            # A message in a map is made by looking for it.
            cast("Message", entries[key]).CopyFrom(self._message(value_type.message_type))

    def _append(self, values: object, each: FieldDescriptor) -> None:
        value = self._message(each.message_type) if each.message_type is not None else self._scalar(each)
        values.append(value)  # type: ignore[attr-defined]  # a repeated field has no type that the stubs name

    def _scalar(self, each: FieldDescriptor) -> object:
        source, kind = self._source, each.type
        if kind == FieldDescriptor.TYPE_STRING:
            return self._text(each.name, each.containing_type.name)
        if kind == FieldDescriptor.TYPE_BYTES:
            return source.choice(self._pools.bytes_of(each.name))
        if kind == FieldDescriptor.TYPE_BOOL:
            return source.random() < 0.5
        if kind == FieldDescriptor.TYPE_ENUM:
            numbers = [value.number for value in each.enum_type.values]
            return source.choice((99, -1, 2**31 - 1) if self._is_hostile() else numbers)
        if kind == FieldDescriptor.TYPE_DOUBLE:
            return source.choice(REALS)
        if self._is_hostile():
            return source.choice(_integers(kind))
        return source.choice(SUITABLE.get(each.name, (0, 1, 1, 2)))

    def _text(self, name: str, message_name: str = "") -> str:
        if name == "order_by":
            return self._source.choice(BAD_ORDERS if self._is_hostile() else ORDERS[message_name])
        if not self._is_hostile():
            return self._source.choice(self._pools.of(name) or ("", "some text"))
        if self._source.random() < 0.3:
            return "".join(chr(self._source.randrange(1, 0xD7FF)) for _ in range(self._source.randrange(1, 12)))
        return self._source.choice(HOSTILE_TEXTS)


def _integers(kind: int) -> Sequence[int]:
    if kind in (FieldDescriptor.TYPE_FIXED32, FieldDescriptor.TYPE_UINT32):
        return (0, 1, 2, 3, 2**32 - 1)
    if kind in (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_SFIXED32, FieldDescriptor.TYPE_SINT32):
        return (0, 1, 2, 5, 100, -1, 2**31 - 1, -(2**31))
    return (*INTEGERS, 2**63 - 1, -(2**63))


def has_field(descriptor: Descriptor, path: str) -> bool:
    """Whether a message has what a path such as `points[3].context.rank` or `tags[a.b]` names."""
    name, rest = path, ""
    for at, character in enumerate(path):
        if character in ".[":
            name, rest = path[:at], path[at:]
            break
    if name in descriptor.oneofs_by_name:
        return not rest
    each = descriptor.fields_by_name.get(name)
    if each is None or not rest:
        return each is not None
    if each.type == each.TYPE_STRING and not each.is_repeated:
        # Of an object in JSON.
        return name == "tags" and rest.startswith("[") and rest.endswith("]")
    is_map = each.message_type is not None and each.message_type.GetOptions().map_entry
    if rest.startswith("["):
        if not each.is_repeated or (is_map and rest.endswith("]")):
            return is_map
        index, _, rest = rest[1:].partition("]")
        if not index.removeprefix("-" * is_map).isdigit():
            return False
        each = each.message_type.fields_by_name["value"] if is_map else each
    return not rest or (each.message_type is not None and has_field(each.message_type, rest.removeprefix(".")))
