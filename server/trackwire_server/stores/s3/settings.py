"""What the store is told; all else (credentials, region, proxies, retries) comes by the usual chain of AWS's tools."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class S3Settings:
    """A text is empty where the usual chain, or the bucket's own settings, are to decide."""

    endpoint_url: str = ""
    encryption: str = ""
    kms_key_id: str = ""
    # How long a byte may be awaited.
    timeout_seconds: float = 60

    @property
    def encryption_parameters(self) -> dict[str, str]:
        """What each call says that begins an object."""
        said = {"ServerSideEncryption": self.encryption, "SSEKMSKeyId": self.kms_key_id}
        return {name: value for name, value in said.items() if value}

    @property
    def encryption_headers(self) -> dict[str, str]:
        """The same, as HTTP says it."""
        header = "x-amz-server-side-encryption"
        said = {header: self.encryption, f"{header}-aws-kms-key-id": self.kms_key_id}
        return {name: value for name, value in said.items() if value}
