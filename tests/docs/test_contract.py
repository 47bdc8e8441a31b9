"""protos/ is the specification: it is documented whole, and the committed code is what it says."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from tests.docs.documents import PROTOS, ROOT, block_of

from trackwire.v1.metrics_pb2 import IngestMetricsRequest, WriterStamp

FILES = sorted(path.relative_to(ROOT / "protos").as_posix() for path in (ROOT / "protos").rglob("*.proto"))


@pytest.fixture(scope="module")
def compiled() -> dict[str, FileDescriptorProto]:
    """protos/, compiled by buf, with comments."""
    buf = Path(sys.executable).with_name("buf")
    built = subprocess.run(
        [buf, "build", ROOT / "protos", "--as-file-descriptor-set", "-o", "-#format=binpb"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    return {file.name: file for file in FileDescriptorSet.FromString(built.stdout).file}


@pytest.mark.parametrize("name", FILES)
def test_committed_module_is_what_the_proto_says(name: str, compiled: dict[str, FileDescriptorProto]) -> None:
    module = import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
    committed, written = FileDescriptorProto(), FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(committed)
    written.CopyFrom(compiled[name])
    written.ClearField("source_code_info")
    for message in (*every_message(committed.message_type), *every_message(written.message_type)):
        for field in message.field:
            field.ClearField("json_name")
    assert committed == written, f"run scripts/generate_protos: {name} and its module differ"


@pytest.mark.parametrize("name", FILES)
def test_everything_has_its_sentence(name: str, compiled: dict[str, FileDescriptorProto]) -> None:
    file = compiled[name]
    commented = {tuple(place.path) for place in file.source_code_info.location if place.leading_comments.strip()}
    silent = [what for path, what in every_declaration(file) if path not in commented]
    assert not silent


def test_columns_are_encoded_as_the_page_shows() -> None:
    lines = block_of(PROTOS, "columns").splitlines()
    encoded = bytes.fromhex("".join(line[:50] for line in lines))
    assert IngestMetricsRequest.FromString(encoded) == IngestMetricsRequest(
        run_id="r1",
        writer=WriterStamp(writer_id="w", sequence=1),
        keys=["loss", "acc"],
        counts=[2, 1],
        steps=[1, 2, 2],
        times_ms=[1000, 2000, 2000],
        values=[0.5, 0.25, 1.0],
    )


def every_message(messages: object) -> Iterator[DescriptorProto]:
    """Messages and those within them."""
    assert not isinstance(messages, str)
    for message in messages:  # type: ignore[attr-defined]  # a repeated field, which has no public type
        yield message
        yield from every_message(message.nested_type)


def every_declaration(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    """All that needs a sentence, with its path as descriptor.proto numbers it."""
    for at, service in enumerate(file.service):
        yield (6, at), service.name
        for rpc_at, rpc in enumerate(service.method):
            yield (6, at, 2, rpc_at), f"{service.name}.{rpc.name}"
    for at, enum in enumerate(file.enum_type):
        yield (5, at), enum.name
        for value_at, value in enumerate(enum.value):
            yield (5, at, 2, value_at), f"{enum.name}.{value.name}"
    for at, message in enumerate(file.message_type):
        yield from declarations_of((4, at), message)


def declarations_of(path: tuple[int, ...], message: DescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    """A message, its fields and what is within it; entries of maps are nobody's to describe."""
    yield path, message.name
    for at, field in enumerate(message.field):
        yield (*path, 2, at), f"{message.name}.{field.name}"
    for at, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            yield from declarations_of((*path, 3, at), nested)
