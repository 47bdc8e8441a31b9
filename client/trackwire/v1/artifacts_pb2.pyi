from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Artifact(_message.Message):
    __slots__ = ("path", "is_dir", "size_bytes", "modification_time_ms")
    PATH_FIELD_NUMBER: _ClassVar[int]
    IS_DIR_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MODIFICATION_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    path: str
    is_dir: bool
    size_bytes: int
    modification_time_ms: int
    def __init__(self, path: _Optional[str] = ..., is_dir: bool = ..., size_bytes: _Optional[int] = ..., modification_time_ms: _Optional[int] = ...) -> None: ...

class ListArtifactsRequest(_message.Message):
    __slots__ = ("run_id", "model_id", "path", "page_size", "page_token")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    model_id: str
    path: str
    page_size: int
    page_token: str
    def __init__(self, run_id: _Optional[str] = ..., model_id: _Optional[str] = ..., path: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListArtifactsResponse(_message.Message):
    __slots__ = ("root_uri", "artifacts", "next_page_token")
    ROOT_URI_FIELD_NUMBER: _ClassVar[int]
    ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    root_uri: str
    artifacts: _containers.RepeatedCompositeFieldContainer[Artifact]
    next_page_token: str
    def __init__(self, root_uri: _Optional[str] = ..., artifacts: _Optional[_Iterable[_Union[Artifact, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UploadHeader(_message.Message):
    __slots__ = ("upload_id", "run_id", "model_id", "path", "size_bytes", "offset")
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    upload_id: str
    run_id: str
    model_id: str
    path: str
    size_bytes: int
    offset: int
    def __init__(self, upload_id: _Optional[str] = ..., run_id: _Optional[str] = ..., model_id: _Optional[str] = ..., path: _Optional[str] = ..., size_bytes: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class UploadFinish(_message.Message):
    __slots__ = ("sha256",)
    SHA256_FIELD_NUMBER: _ClassVar[int]
    sha256: bytes
    def __init__(self, sha256: _Optional[bytes] = ...) -> None: ...

class UploadArtifactRequest(_message.Message):
    __slots__ = ("header", "data", "finish")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    FINISH_FIELD_NUMBER: _ClassVar[int]
    header: UploadHeader
    data: bytes
    finish: UploadFinish
    def __init__(self, header: _Optional[_Union[UploadHeader, _Mapping]] = ..., data: _Optional[bytes] = ..., finish: _Optional[_Union[UploadFinish, _Mapping]] = ...) -> None: ...

class UploadArtifactResponse(_message.Message):
    __slots__ = ("artifact",)
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    artifact: Artifact
    def __init__(self, artifact: _Optional[_Union[Artifact, _Mapping]] = ...) -> None: ...

class GetUploadStatusRequest(_message.Message):
    __slots__ = ("run_id", "model_id", "upload_id")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    model_id: str
    upload_id: str
    def __init__(self, run_id: _Optional[str] = ..., model_id: _Optional[str] = ..., upload_id: _Optional[str] = ...) -> None: ...

class GetUploadStatusResponse(_message.Message):
    __slots__ = ("received_bytes", "complete")
    RECEIVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    received_bytes: int
    complete: bool
    def __init__(self, received_bytes: _Optional[int] = ..., complete: bool = ...) -> None: ...

class DownloadArtifactRequest(_message.Message):
    __slots__ = ("run_id", "model_id", "path", "offset", "length", "version")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    model_id: str
    path: str
    offset: int
    length: int
    version: str
    def __init__(self, run_id: _Optional[str] = ..., model_id: _Optional[str] = ..., path: _Optional[str] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ..., version: _Optional[str] = ...) -> None: ...

class DownloadArtifactResponse(_message.Message):
    __slots__ = ("size_bytes", "data", "version")
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    size_bytes: int
    data: bytes
    version: str
    def __init__(self, size_bytes: _Optional[int] = ..., data: _Optional[bytes] = ..., version: _Optional[str] = ...) -> None: ...

class DeleteArtifactRequest(_message.Message):
    __slots__ = ("run_id", "model_id", "path")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    model_id: str
    path: str
    def __init__(self, run_id: _Optional[str] = ..., model_id: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class DeleteArtifactResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CreateArtifactUploadUrlRequest(_message.Message):
    __slots__ = ("run_id", "model_id", "path")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    model_id: str
    path: str
    def __init__(self, run_id: _Optional[str] = ..., model_id: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class CreateArtifactUploadUrlResponse(_message.Message):
    __slots__ = ("url", "expiry_time_ms", "headers")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    URL_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    url: str
    expiry_time_ms: int
    headers: _containers.ScalarMap[str, str]
    def __init__(self, url: _Optional[str] = ..., expiry_time_ms: _Optional[int] = ..., headers: _Optional[_Mapping[str, str]] = ...) -> None: ...

class CreateArtifactDownloadUrlRequest(_message.Message):
    __slots__ = ("run_id", "model_id", "path")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    model_id: str
    path: str
    def __init__(self, run_id: _Optional[str] = ..., model_id: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class CreateArtifactDownloadUrlResponse(_message.Message):
    __slots__ = ("url", "expiry_time_ms", "version", "etag", "size_bytes")
    URL_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    url: str
    expiry_time_ms: int
    version: str
    etag: str
    size_bytes: int
    def __init__(self, url: _Optional[str] = ..., expiry_time_ms: _Optional[int] = ..., version: _Optional[str] = ..., etag: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class CreateArtifactPartUrlRequest(_message.Message):
    __slots__ = ("header", "part_number", "part_bytes", "crc32", "parts_id")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PART_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PART_BYTES_FIELD_NUMBER: _ClassVar[int]
    CRC32_FIELD_NUMBER: _ClassVar[int]
    PARTS_ID_FIELD_NUMBER: _ClassVar[int]
    header: UploadHeader
    part_number: int
    part_bytes: int
    crc32: int
    parts_id: str
    def __init__(self, header: _Optional[_Union[UploadHeader, _Mapping]] = ..., part_number: _Optional[int] = ..., part_bytes: _Optional[int] = ..., crc32: _Optional[int] = ..., parts_id: _Optional[str] = ...) -> None: ...

class CreateArtifactPartUrlResponse(_message.Message):
    __slots__ = ("url", "expiry_time_ms", "headers", "parts_id", "complete")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    URL_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    PARTS_ID_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    url: str
    expiry_time_ms: int
    headers: _containers.ScalarMap[str, str]
    parts_id: str
    complete: bool
    def __init__(self, url: _Optional[str] = ..., expiry_time_ms: _Optional[int] = ..., headers: _Optional[_Mapping[str, str]] = ..., parts_id: _Optional[str] = ..., complete: bool = ...) -> None: ...

class CompleteArtifactUploadRequest(_message.Message):
    __slots__ = ("header", "parts_id", "crc32s", "sha256")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PARTS_ID_FIELD_NUMBER: _ClassVar[int]
    CRC32S_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    header: UploadHeader
    parts_id: str
    crc32s: _containers.RepeatedScalarFieldContainer[int]
    sha256: bytes
    def __init__(self, header: _Optional[_Union[UploadHeader, _Mapping]] = ..., parts_id: _Optional[str] = ..., crc32s: _Optional[_Iterable[int]] = ..., sha256: _Optional[bytes] = ...) -> None: ...

class CompleteArtifactUploadResponse(_message.Message):
    __slots__ = ("artifact",)
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    artifact: Artifact
    def __init__(self, artifact: _Optional[_Union[Artifact, _Mapping]] = ...) -> None: ...
