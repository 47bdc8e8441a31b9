"""A bucket's calls, typed and with errors in the domain's words: the one module that calls aiobotocore's client."""

import base64
import hashlib
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import ClientError

from trackwire_server.core.byte_stores import PresignedUrl
from trackwire_server.stores.s3.errors import Absent, errors_translated
from trackwire_server.stores.s3.settings import S3Settings

# A download holds one as long as its client reads.
CONNECTIONS_MAX = 1_024
CONNECT_TIMEOUT_SECONDS = 10
LIST_KEYS_MAX = 1_000
DELETE_KEYS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What a store says of an object; the ETag of one that was asked for alone, the checksum where it was asked for."""

    key: str
    size_bytes: int
    modification_time_ms: int
    etag: str = ""
    crc32: str = ""


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Keys in the order of their bytes, and prefixes up to the delimiter; `next_token` is "" of the last page."""

    objects: Sequence[ObjectFacts]
    prefixes: Sequence[str]
    next_token: str

    @property
    def last(self) -> str:
        """The greatest key or prefix; "" of an empty page."""
        ends = [*(facts.key for facts in self.objects[-1:]), *self.prefixes[-1:]]
        return max(ends, default="")


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """A part of a multipart upload, as completing it names it."""

    number: int
    etag: str
    crc32: str


@dataclass(frozen=True, slots=True)
class BegunUpload:
    """A multipart upload that is neither complete nor aborted."""

    key: str
    upload_id: str
    begin_time_ms: int


@dataclass(frozen=True, slots=True)
class ArrivedPart:
    """A part of a multipart upload, as the store has it."""

    number: int
    etag: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class OpenedObject:
    """An object's facts, and its bytes as they come. `body` is aiobotocore's, which has no types."""

    facts: ObjectFacts
    body: Any


class Bucket:
    """Objects of one bucket."""

    def __init__(self, client: Any, name: str, settings: S3Settings):
        self._client = client
        self.name = name
        self._encryption = settings.encryption_parameters
        self._encryption_headers = settings.encryption_headers

    async def put(self, key: str, data: bytes, sha256: bytes | None = None) -> None:
        """Stores an object, visible at once and whole; the store compares its checksum."""
        digest = sha256 if sha256 is not None else hashlib.sha256(data).digest()
        with errors_translated(self.name, "PutObject"):
            await self._client.put_object(
                Bucket=self.name,
                Key=key,
                Body=data,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=_base64(digest),
                **self._encryption,
            )

    async def upload_url(self, key: str, *, expiry_seconds: int) -> PresignedUrl:
        """A URL to PUT an object to, encrypted as all others are."""
        headers = self._encryption_headers
        return PresignedUrl(await self._sign("put_object", expiry_seconds, Key=key, **self._encryption), headers)

    async def download_url(self, key: str, *, expiry_seconds: int) -> str:
        """A URL to GET an object from."""
        return await self._sign("get_object", expiry_seconds, Key=key)

    async def part_url(
        self, key: str, upload_id: str, number: int, *, size_bytes: int, crc32: int, expiry_seconds: int
    ) -> PresignedUrl:
        """A URL to PUT a part to, which the store refuses where it has another size or checksum."""
        checksum = _base64(crc32.to_bytes(4, "big"))
        url = await self._sign(
            "upload_part",
            expiry_seconds,
            Key=key,
            UploadId=upload_id,
            PartNumber=number,
            ContentLength=size_bytes,
            ChecksumCRC32=checksum,
        )
        return PresignedUrl(url, {"x-amz-checksum-crc32": checksum})

    async def _sign(self, call: str, expiry_seconds: int, **parameters: str | int) -> str:
        with errors_translated(self.name, f"sign {call}"):
            url: str = await self._client.generate_presigned_url(
                call, Params={"Bucket": self.name, **parameters}, ExpiresIn=expiry_seconds
            )
        return url

    async def head(self, key: str, *, with_crc32: bool = False) -> ObjectFacts | None:
        """An object's facts; None if there is none. Its checksum is "" where the store keeps none."""
        asked = {"ChecksumMode": "ENABLED"} if with_crc32 else {}
        try:
            with errors_translated(self.name, "HeadObject"):
                answer = await self._client.head_object(Bucket=self.name, Key=key, **asked)
        except Absent:
            return None
        # Behind a "-", not of all stores, is how many parts there were.
        time_ms, crc32 = _milliseconds(answer["LastModified"]), answer.get("ChecksumCRC32", "").partition("-")[0]
        return ObjectFacts(key, answer["ContentLength"], time_ms, answer["ETag"], crc32)

    async def open(self, key: str, *, offset: int = 0, etag: str = "") -> OpenedObject:
        """An object's bytes from an offset on, only of the object with this ETag. Raises Absent and Replaced."""
        asked = {"Range": f"bytes={offset}-"} if offset else {}
        if etag:
            asked["IfMatch"] = etag
        with errors_translated(self.name, "GetObject"):
            answer = await self._client.get_object(Bucket=self.name, Key=key, **asked)
        size_bytes, time_ms = offset + answer["ContentLength"], _milliseconds(answer["LastModified"])
        return OpenedObject(ObjectFacts(key, size_bytes, time_ms, answer["ETag"]), answer["Body"])

    async def read(self, key: str) -> bytes | None:
        """All bytes of a small object; None if there is none."""
        try:
            opened = await self.open(key)
        except Absent:
            return None
        with errors_translated(self.name, "GetObject"):
            async with opened.body as body:
                data: bytes = await body.read()
        return data

    async def list_page(
        self, prefix: str, *, after: str = "", token: str = "", delimiter: str = "", limit: int = LIST_KEYS_MAX
    ) -> KeyPage:
        """Keys that begin with a prefix and follow `after`, or the page that a token continues."""
        said = {"StartAfter": after, "ContinuationToken": token, "Delimiter": delimiter}
        asked = {name: value for name, value in said.items() if value}
        with errors_translated(self.name, "ListObjectsV2"):
            answer = await self._client.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=limit, **asked)
        objects = [
            ObjectFacts(entry["Key"], entry["Size"], _milliseconds(entry["LastModified"]))
            for entry in answer.get("Contents", ())
        ]
        prefixes = [entry["Prefix"] for entry in answer.get("CommonPrefixes", ())]
        return KeyPage(objects, prefixes, answer["NextContinuationToken"] if answer.get("IsTruncated") else "")

    async def all_below(self, prefix: str) -> AsyncIterator[Sequence[ObjectFacts]]:
        """All objects whose keys begin with a prefix, page by page; those of a page may be deleted meanwhile."""
        page = await self.list_page(prefix)
        while page.objects:
            yield page.objects
            if not page.next_token:
                return
            page = await self.list_page(prefix, after=page.last)

    async def delete(self, keys: Sequence[str]) -> None:
        """Deletes objects; those that are not there are fine."""
        for start in range(0, len(keys), DELETE_KEYS_MAX):
            named = [{"Key": key} for key in keys[start : start + DELETE_KEYS_MAX]]
            with errors_translated(self.name, "DeleteObjects"):
                answer = await self._client.delete_objects(Bucket=self.name, Delete={"Objects": named, "Quiet": True})
                _raise_first(answer.get("Errors", ()))

    async def begin_multipart(self, key: str) -> str:
        """Begins an object that comes in parts, which is visible when it is completed; the upload's id."""
        with errors_translated(self.name, "CreateMultipartUpload"):
            answer = await self._client.create_multipart_upload(
                Bucket=self.name, Key=key, ChecksumAlgorithm="CRC32", **self._encryption
            )
        upload_id: str = answer["UploadId"]
        return upload_id

    async def put_part(self, key: str, upload_id: str, number: int, data: bytes, crc32: int) -> UploadedPart:
        """Stores a part; the store compares its checksum. Raises Absent if the upload was aborted."""
        checksum = _base64(crc32.to_bytes(4, "big"))
        with errors_translated(self.name, "UploadPart"):
            answer = await self._client.upload_part(
                Bucket=self.name,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                Body=data,
                ChecksumAlgorithm="CRC32",
                ChecksumCRC32=checksum,
            )
        return UploadedPart(number, answer["ETag"], checksum)

    async def arrived_parts(self, key: str, upload_id: str) -> Sequence[ArrivedPart]:
        """The first thousand parts of an upload, by number. Raises Absent if it was aborted."""
        with errors_translated(self.name, "ListParts"):
            answer = await self._client.list_parts(Bucket=self.name, Key=key, UploadId=upload_id)
        return [ArrivedPart(part["PartNumber"], part["ETag"], part["Size"]) for part in answer.get("Parts", ())]

    async def complete_multipart(self, key: str, upload_id: str, parts: Sequence[UploadedPart]) -> None:
        """Makes an object of its parts, visible at once and whole. Raises Absent if the upload was aborted."""
        named = [{"PartNumber": part.number, "ETag": part.etag, "ChecksumCRC32": part.crc32} for part in parts]
        with errors_translated(self.name, "CompleteMultipartUpload"):
            await self._client.complete_multipart_upload(
                Bucket=self.name, Key=key, UploadId=upload_id, MultipartUpload={"Parts": named}
            )

    async def abort_multipart(self, key: str, upload_id: str) -> None:
        """Forgets an upload with its parts; one that is not there is fine."""
        try:
            with errors_translated(self.name, "AbortMultipartUpload"):
                await self._client.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload_id)
        except Absent:
            return

    async def begun_multiparts(self, prefix: str) -> AsyncIterator[BegunUpload]:
        """Those to keys that begin with a prefix, by key."""
        behind: dict[str, str] = {}
        while True:
            with errors_translated(self.name, "ListMultipartUploads"):
                answer = await self._client.list_multipart_uploads(Bucket=self.name, Prefix=prefix, **behind)
            for entry in answer.get("Uploads", ()):
                yield BegunUpload(entry["Key"], entry["UploadId"], _milliseconds(entry["Initiated"]))
            if not answer.get("IsTruncated"):
                return
            behind = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}


@asynccontextmanager
async def opened_client(settings: S3Settings) -> AsyncIterator[Any]:
    """A client of S3 for all buckets, by the usual chain of credentials and settings."""
    config = AioConfig(
        signature_version="s3v4",
        connect_timeout=min(CONNECT_TIMEOUT_SECONDS, settings.timeout_seconds),
        read_timeout=settings.timeout_seconds,
        max_pool_connections=CONNECTIONS_MAX,
        # How often is left to AWS_MAX_ATTEMPTS.
        retries={"mode": "standard"},
        # The signature covers each body's checksum, a header: botocore would hash the body a second time, in the loop.
        s3={"payload_signing_enabled": False},
    )
    with errors_translated("", "connect"):
        opening = get_session().create_client("s3", endpoint_url=settings.endpoint_url or None, config=config)
        client = await opening.__aenter__()
    try:
        yield client
    finally:
        await opening.__aexit__(None, None, None)


def named_part(number: int, etag: str, crc32: int) -> UploadedPart:
    """A part as completing its upload names it."""
    return UploadedPart(number, etag, _base64(crc32.to_bytes(4, "big")))


def crc32_of_parts(crc32s: Sequence[int]) -> str:
    """The checksum of an object that was made of parts: that of theirs."""
    joined = b"".join(crc32.to_bytes(4, "big") for crc32 in crc32s)
    return _base64(crc32_of(joined).to_bytes(4, "big"))


def crc32_of(data: bytes) -> int:
    """The checksum that parts go with."""
    return zlib.crc32(data)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _milliseconds(moment: Any) -> int:
    return int(moment.timestamp() * 1_000)


def _raise_first(errors: Sequence[Any]) -> None:
    """Deleting many objects is answered as done even where some of them were refused."""
    for error in errors:
        raise ClientError({"Error": error}, "DeleteObjects")
