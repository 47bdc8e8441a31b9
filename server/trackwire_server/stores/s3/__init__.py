"""Artifact bytes in a bucket of S3, or of a store that speaks its protocol."""

from trackwire_server.stores.s3.locations import opened_locations
from trackwire_server.stores.s3.settings import S3Settings
from trackwire_server.stores.s3.store import S3Bytes

__all__ = ["S3Bytes", "S3Settings", "opened_locations"]
