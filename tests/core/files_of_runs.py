"""Runs with files, and ways to put and get them."""

import hashlib
from collections.abc import AsyncIterator

from tests.conftest import NOW_MS

from trackwire_server.core.artifacts import Artifacts
from trackwire_server.core.downloads import DownloadRange
from trackwire_server.core.entities import LifecycleStage, Run, RunStatus
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.upload_streams import UploadFinish, UploadHeader

RUN = Run(
    run_id="run1",
    run_name="name",
    experiment_id="0",
    user_id="",
    status=RunStatus.RUNNING,
    start_time_ms=NOW_MS,
    end_time_ms=None,
    lifecycle_stage=LifecycleStage.ACTIVE,
    artifact_uri="trackwire-artifacts:/0/run1/artifacts",
)
DATA = b"0123456789"
HEADER = UploadHeader("upload1", "run1", "a/b.bin", len(DATA), 0)
FINISH = UploadFinish(hashlib.sha256(DATA).digest())
WHOLE = (DATA[:4], DATA[4:], FINISH)
DAY_MS = LIMITS.upload_expiry_seconds * 1_000


async def stream(*parts: bytes | UploadFinish) -> AsyncIterator[bytes | UploadFinish]:
    for part in parts:
        yield part


async def upload(artifacts: Artifacts, path: str, data: bytes = DATA) -> None:
    finish = UploadFinish(hashlib.sha256(data).digest())
    header = UploadHeader(f"of-{hashlib.sha256(path.encode()).hexdigest()[:32]}", "run1", path, len(data), 0)
    await artifacts.upload(header, stream(data, finish))


async def download(artifacts: Artifacts, path: str = "a/b.bin", *, offset: int = 0, length: int = 0) -> bytes:
    return b"".join([part.data async for part in artifacts.download("run1", path, DownloadRange(offset, length))])
