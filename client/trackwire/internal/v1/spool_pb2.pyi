from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class SpooledUpload(_message.Message):
    __slots__ = ("run_id", "file_name", "artifact_path", "size_bytes", "sha256")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    file_name: str
    artifact_path: str
    size_bytes: int
    sha256: bytes
    def __init__(self, run_id: _Optional[str] = ..., file_name: _Optional[str] = ..., artifact_path: _Optional[str] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[bytes] = ...) -> None: ...
