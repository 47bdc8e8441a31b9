"""What S3 and botocore say, in the domain's words; the only place that translates.

What stands in the way of the server's own store is an outage, whoever has to end it: uploads wait for that.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError, HTTPClientError

from trackwire_server.core.errors import Aborted, StorageFull, StoreCorrupt, StoreRefuses, StoreUnavailable

_RIGHTS = (
    "s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload,"
    " s3:ListBucketMultipartUploads and s3:ListMultipartUploadParts"
)
# What nothing but another setting, another policy or new credentials will end.
_REFUSALS = {
    "NoSuchBucket": "the bucket does not exist: make it, or name another one",
    "AccessDenied": f"access is denied: the server's credentials need {_RIGHTS}",
    "403": f"access is denied: the server's credentials need {_RIGHTS}",
    "AllAccessDisabled": "access is disabled for everybody",
    "AccountProblem": "there is a problem with the account",
    "ExpiredToken": "the server's credentials have expired: renew them",
    "ExpiredTokenException": "the server's credentials have expired: renew them",
    "TokenRefreshRequired": "the server's credentials have expired: renew them",
    "InvalidAccessKeyId": "the server's access key is not known there",
    "InvalidToken": "the server's session token is not known there",
    "SignatureDoesNotMatch": "the server's secret key is not the one of its access key",
    "RequestTimeTooSkewed": "the clocks of the server and the store differ too much",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set AWS_REGION",
    "PermanentRedirect": "the bucket is in another region: set AWS_REGION",
    "301": "the bucket is in another region: set AWS_REGION",
    "KMS.NotFoundException": "the encryption key does not exist",
    "KMS.DisabledException": "the encryption key is disabled",
    "KMS.AccessDeniedException": "the server's credentials may not use the encryption key",
}
_DAMAGED = ("BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch")
_FULL = ("InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "507")
_ABSENT = ("NoSuchKey", "NoSuchUpload", "404", "NotFound")
_REPLACED = ("PreconditionFailed", "412")


class Absent(Exception):
    """No object has this key, or no upload this id: never leaves this package."""


class Replaced(Exception):
    """Another object has this key than the one that was meant: never leaves this package."""


@contextmanager
def errors_translated(bucket: str, operation: str) -> Iterator[None]:
    """Turns what botocore raises into the domain's errors, and into Absent and Replaced."""
    try:
        yield
    except ClientError as error:
        raise _of_answer(bucket, operation, error) from error
    except FlexibleChecksumError as error:
        raise StoreCorrupt(
            f"artifact store s3://{bucket}: {operation}: the checksum does not agree: {error}"
        ) from error
    except (BotoCoreError, HTTPClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
        said = str(error) or type(error).__name__
        raise StoreUnavailable(f"artifact store s3://{bucket}: {operation}: {said}") from error


def _of_answer(bucket: str, operation: str, error: ClientError) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    where = f"artifact store s3://{bucket}: {operation}"
    metadata = {"bucket": bucket, "operation": operation, "code": code}
    if code in _ABSENT:
        return Absent(code)
    if code in _REPLACED:
        return Replaced(code)
    if code in _REFUSALS:
        return StoreRefuses(f"{where}: {_REFUSALS[code]} ({code})", metadata=metadata)
    if code in _FULL:
        return StorageFull(f"artifact store s3://{bucket}")
    if code in _DAMAGED:
        return StoreUnavailable(
            f"{where}: bytes were damaged on their way there ({code}): send again", metadata=metadata
        )
    return StoreUnavailable(f"{where}: {code}: {error.response.get('Error', {}).get('Message', '')}", metadata=metadata)


def replaced_meanwhile(path: str) -> Aborted:
    """A file that was being read is another one, or gone."""
    return Aborted(
        f"path: {path!r} was replaced or deleted while it was read: download it from the start",
        reason="ARTIFACT_CHANGED",
        metadata={"field": "path", "value": path},
    )
