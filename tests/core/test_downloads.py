"""How files go out, on the memory stores."""

from dataclasses import replace

import pytest
from tests.core.files_of_runs import DATA, HEADER, WHOLE, download, stream, upload

from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.downloads import DOWNLOAD_PART_BYTES, DownloadPart, DownloadRange
from trackwire_server.core.errors import Aborted, InvalidArgument, OutOfRange


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [(0, 0, DATA), (3, 0, DATA[3:]), (3, 2, DATA[3:5]), (8, 100, DATA[8:]), (10, 0, b""), (10, 5, b"")],
)
async def test_range_is_answered(artifacts: Artifacts, offset: int, length: int, expected: bytes) -> None:
    await upload(artifacts, "a/b.bin")
    assert await download(artifacts, offset=offset, length=length) == expected


@pytest.mark.parametrize("size_bytes", [0, 1, DOWNLOAD_PART_BYTES, DOWNLOAD_PART_BYTES + 1, 3 * DOWNLOAD_PART_BYTES])
async def test_first_part_alone_tells_of_the_whole(artifacts: Artifacts, size_bytes: int) -> None:
    data = bytes(size_bytes)
    await upload(artifacts, "a", data)
    parts = [part async for part in artifacts.download("run1", "a", DownloadRange())]
    assert len(parts) == max(1, -(-size_bytes // DOWNLOAD_PART_BYTES))
    assert (parts[0].size_bytes, bool(parts[0].version)) == (size_bytes, True)
    assert parts[1:] == [DownloadPart(part.data) for part in parts[1:]]
    assert b"".join(part.data for part in parts) == data


async def test_offset_past_the_end_is_out_of_range(artifacts: Artifacts) -> None:
    await upload(artifacts, "a/b.bin")
    with pytest.raises(OutOfRange) as refused:
        await download(artifacts, offset=11)
    assert (refused.value.reason, refused.value.metadata["limit"]) == ("OFFSET_PAST_END", "10")


@pytest.mark.parametrize(("offset", "length"), [(-1, 0), (0, -1)])
async def test_negative_range_is_refused(artifacts: Artifacts, offset: int, length: int) -> None:
    with pytest.raises(InvalidArgument):
        await download(artifacts, offset=offset, length=length)


async def test_replaced_file_does_not_go_on_with_an_old_version(artifacts: Artifacts) -> None:
    await upload(artifacts, "a/b.bin")
    first = await anext(artifacts.download("run1", "a/b.bin", DownloadRange()))
    again = DownloadRange(offset=5, version=first.version)
    assert (await anext(artifacts.download("run1", "a/b.bin", again))).data == DATA[5:]
    await artifacts.upload(replace(HEADER, upload_id="other"), stream(*WHOLE))
    with pytest.raises(Aborted) as changed:
        await anext(artifacts.download("run1", "a/b.bin", again))
    assert changed.value.reason == "ARTIFACT_CHANGED"
