"""An S3 for the tests: moto's server, over HTTP, in a process of its own; as a program, that process."""

import functools
import re
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

# The usual chain finds these, and nothing that whoever runs the tests has.
ENVIRONMENT: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "test-key",
    "AWS_SECRET_ACCESS_KEY": "test-secret",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


@contextmanager
def endpoint() -> Iterator[str]:
    """The URL of a server with nothing in it."""
    with subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, f"moto ended with {process.wait()}"
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.stdin.close()
            process.wait(30)


def make_bucket(url: str) -> str:
    """A fresh bucket's name."""
    name = f"bucket-{uuid.uuid4().hex}"
    with urllib.request.urlopen(urllib.request.Request(f"{url}/{name}", method="PUT")):
        return name


def _serve() -> None:
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    _know_no_aborted_uploads()
    _tell_when_uploads_began()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    # Until whoever started it closes its end, or dies.
    sys.stdin.read()
    server.stop()


def _know_no_aborted_uploads() -> None:
    """Has moto answer as S3 does, by NoSuchUpload: to it, a part of an upload that was aborted is an internal error."""
    from moto.s3.exceptions import NoSuchUpload
    from moto.s3.models import S3Backend

    def known(call: Callable[..., object]) -> Callable[..., object]:
        @functools.wraps(call)
        def checked(backend: S3Backend, bucket_name: str, multipart_id: str, *args: object) -> object:
            if multipart_id not in backend.get_bucket(bucket_name).multiparts:
                raise NoSuchUpload(upload_id=multipart_id)
            return call(backend, bucket_name, multipart_id, *args)

        return checked

    for name in ("upload_part", "complete_multipart_upload"):
        setattr(S3Backend, name, known(getattr(S3Backend, name)))


def _tell_when_uploads_began() -> None:
    """Has moto list uploads with their times: to it, all of them began in 2010."""
    from moto.s3.models import FakeMultipart
    from moto.s3.responses import S3Response

    begun: dict[str, str] = {}
    make, list_them = FakeMultipart.__init__, S3Response.list_multipart_uploads

    @functools.wraps(make)
    def made(upload: FakeMultipart, *args: Any, **kwargs: Any) -> None:
        make(upload, *args, **kwargs)
        begun[upload.id] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def with_its_time(found: re.Match[str]) -> str:
        upload_id = re.search(r"<UploadId>(.*?)</UploadId>", found[0])
        assert upload_id is not None
        return re.sub(r"<Initiated>.*?<", f"<Initiated>{begun[upload_id[1]]}<", found[0])

    @functools.wraps(list_them)
    def listed(response: S3Response) -> Any:
        status, headers, body = list_them(response)
        text = body.decode() if isinstance(body, bytes) else body
        return status, headers, re.sub(r"<Upload>.*?</Upload>", with_its_time, text, flags=re.DOTALL)

    patched: Any = FakeMultipart
    patched.__init__ = made
    patched = S3Response
    patched.list_multipart_uploads = listed


if __name__ == "__main__":
    _serve()
