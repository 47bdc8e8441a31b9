"""What tests of byte stores do with files."""

from pathlib import Path

from trackwire_server.core.byte_stores import ByteStore

ROOT = "0/run1/artifacts"


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


async def put(store: ByteStore, path: str, data: bytes = b"bytes", *, partial_id: str = "partial") -> None:
    partial = await store.open_partial(partial_id, path)
    try:
        await partial.append(data)
        await partial.publish()
    finally:
        await partial.close()


async def read(store: ByteStore, path: str) -> bytes:
    file = await store.open_file(path)
    try:
        return await file.read(offset=0, length=file.size_bytes)
    finally:
        await file.close()


async def names(store: ByteStore, folder: str) -> list[tuple[str, bool]]:
    return [(entry.path, entry.is_dir) for entry in await store.list_folder(folder, after="", limit=1_000)]
