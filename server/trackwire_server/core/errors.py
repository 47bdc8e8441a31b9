"""What can go wrong, in the words of the domain. No transport is known here; rpc/status.py maps classes to codes.

TrackwireError
├── InvalidArgument       a field has a value that it can't have
├── NotFound              nothing has this name
├── AlreadyExists         something has this name already
├── FailedPrecondition    the thing is in a state in which this can't be done
├── Aborted               an order or a checksum does not hold: look, then send again
├── OutOfRange            a position lies outside what is there
├── AnswerTooLarge        what was asked for is more than a message holds: ask for less at a time
├── Overloaded            a queue is full: send the same again later
├── StorageFull           the disk is full: send the same again once there is room
├── StoreUnavailable      the store can't be reached for now
│   └── StoreRefuses      it answers, but refuses the server: an administrator has to end that
├── StoreCorrupt          the store's bytes are not what was written
├── Unauthenticated       nobody knows who calls: there is no token, or none that counts
└── PermissionDenied      it is known who calls, and that this is more than they may
"""

from collections.abc import Mapping
from typing import ClassVar

VALUE_SHOWN_CHARACTERS_MAX = 200


def shown(value: object) -> str:
    """A value as an error message shows it: quoted if text, cut if long."""
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    if len(text) <= VALUE_SHOWN_CHARACTERS_MAX:
        return text
    return f"{text[:VALUE_SHOWN_CHARACTERS_MAX]}… ({len(text)} characters)"


class TrackwireError(Exception):
    """The root; `reason` is stable and machine-readable, `metadata` holds every value the message speaks of."""

    default_reason: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, *, reason: str | None = None, metadata: Mapping[str, object] | None = None):
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.metadata = {key: str(value)[:VALUE_SHOWN_CHARACTERS_MAX] for key, value in (metadata or {}).items()}


class InvalidArgument(TrackwireError):
    """Names the field (its path in the request), the value, and what would be right."""

    default_reason = "INVALID_ARGUMENT"

    def __init__(self, field: str, value: object, expected: str, *, reason: str | None = None, limit: object = None):
        metadata = {"field": field, "value": shown(value)}
        if limit is not None:
            metadata["limit"] = str(limit)
        super().__init__(f"{field}: {shown(value)}: {expected}", reason=reason, metadata=metadata)
        self.field = field
        self.value = value
        self.expected = expected


def _resource(kind: str, name: object, field: str | None) -> dict[str, object]:
    return {"resource_type": kind, "resource_name": name} | ({"field": field} if field else {})


class NotFound(TrackwireError):
    """Nothing of this kind has this name."""

    default_reason = "NOT_FOUND"

    def __init__(self, kind: str, name: object, *, field: str | None = None, hint: str = ""):
        super().__init__(
            f"{kind} {shown(name)} does not exist" + (f": {hint}" if hint else ""),
            reason=f"{kind.upper().replace(' ', '_')}_NOT_FOUND",
            metadata=_resource(kind, name, field),
        )
        self.kind = kind
        self.name = str(name)


class AlreadyExists(TrackwireError):
    """Something of this kind has this name."""

    default_reason = "ALREADY_EXISTS"

    def __init__(self, kind: str, name: object, *, field: str | None = None, hint: str = ""):
        super().__init__(
            f"{kind} {shown(name)} exists already" + (f": {hint}" if hint else ""),
            reason=f"{kind.upper().replace(' ', '_')}_ALREADY_EXISTS",
            metadata=_resource(kind, name, field),
        )
        self.kind = kind
        self.name = str(name)


class FailedPrecondition(TrackwireError):
    """The thing is in a state in which this can't be done."""

    default_reason = "FAILED_PRECONDITION"


class RunDeleted(FailedPrecondition):
    """A deleted run refuses writes until it is restored."""

    default_reason = "RUN_DELETED"

    def __init__(self, run_id: str):
        super().__init__(
            f"run {shown(run_id)} is deleted: restore it before writing to it", metadata={"run_id": run_id}
        )


class ExperimentDeleted(FailedPrecondition):
    """A deleted experiment refuses changes and new runs until it is restored."""

    default_reason = "EXPERIMENT_DELETED"

    def __init__(self, experiment_id: str):
        super().__init__(
            f"experiment {shown(experiment_id)} is deleted: restore it before changing it",
            metadata={"experiment_id": experiment_id},
        )


class ParamAlreadySet(FailedPrecondition):
    """A param never changes once set."""

    default_reason = "PARAM_ALREADY_SET"

    def __init__(self, run_id: str, key: str, old_value: str, new_value: str):
        super().__init__(
            f"params[{shown(key)}]: {shown(new_value)}: run {shown(run_id)} has it as {shown(old_value)},"
            " and a param never changes",
            metadata={
                "field": f"params[{key}]",
                "run_id": run_id,
                "key": key,
                "value": new_value,
                "old_value": old_value,
            },
        )


class Aborted(TrackwireError):
    """An order or a checksum does not hold; nothing was stored."""

    default_reason = "ABORTED"


class SequenceGap(Aborted):
    """A stamped request came before the one that stands before it."""

    default_reason = "SEQUENCE_GAP"

    def __init__(self, writer_id: str, *, mark: int, previous_sequence: int):
        super().__init__(
            f"writer.previous_sequence: {previous_sequence}: writer {shown(writer_id)} is stored up to {mark};"
            " send again, in order",
            metadata={
                "field": "writer.previous_sequence",
                "writer_id": writer_id,
                "mark": mark,
                "value": previous_sequence,
            },
        )


class ChecksumMismatch(Aborted):
    """An upload's bytes are not those that its header announced."""

    default_reason = "CHECKSUM_MISMATCH"

    def __init__(self, path: str, *, announced: str, received: str):
        super().__init__(
            f"finish.sha256: {announced}: the bytes of {shown(path)} that arrived have {received};"
            " nothing was kept, upload it again",
            metadata={"field": "finish.sha256", "path": path, "value": announced, "received": received},
        )


class OutOfRange(TrackwireError):
    """A position lies outside what is there."""

    default_reason = "OUT_OF_RANGE"


class TailTokenExpired(OutOfRange):
    """Points behind a resume token are no longer kept in order of arrival."""

    default_reason = "TAIL_TOKEN_EXPIRED"

    def __init__(self, run_id: str, *, arrival: int, kept_from: int):
        super().__init__(
            f"resume_token: position {arrival} of run {shown(run_id)}: kept from {kept_from} on;"
            " read the series with ReadMetrics and tail from the token it returns",
            metadata={"field": "resume_token", "run_id": run_id, "value": arrival, "limit": kept_from},
        )


class AnswerTooLarge(TrackwireError):
    """An answer has more bytes than a message may have; a smaller page may fit."""

    default_reason = "ANSWER_TOO_LARGE"

    def __init__(self, size_bytes: int, *, limit: int):
        super().__init__(
            f"the answer has {size_bytes:,} bytes, a message may have {limit:,}: ask for less at a time",
            metadata={"bytes": size_bytes, "limit": limit},
        )


class Overloaded(TrackwireError):
    """A queue is full; the same call may be sent again after `retry_after_seconds`."""

    default_reason = "OVERLOADED"

    def __init__(self, message: str, *, retry_after_seconds: float, metadata: Mapping[str, object] | None = None):
        super().__init__(message, metadata=metadata)
        self.retry_after_seconds = retry_after_seconds


class StorageFull(TrackwireError):
    """The disk under the store is full; nothing of the call was stored."""

    default_reason = "STORAGE_FULL"
    retry_after_seconds: ClassVar[float] = 30.0

    def __init__(self, where: str):
        super().__init__(f"the disk under the {where} is full: nothing was stored", metadata={"where": where})


class StoreUnavailable(TrackwireError):
    """The store can't be reached for now."""

    default_reason = "STORE_UNAVAILABLE"
    retry_after_seconds: ClassVar[float] = 1.0


class StoreRefuses(StoreUnavailable):
    """The store answers, but refuses the server what it asks: nobody but an administrator can end that."""

    default_reason = "ARTIFACT_STORE_REFUSES"


class StoreCorrupt(TrackwireError):
    """The store's bytes are not what was written."""

    default_reason = "STORE_CORRUPT"


class Unauthenticated(TrackwireError):
    """A call came without a token, or with one that does not count. No message holds a part of a token."""

    default_reason = "TOKEN_MISSING"


class PermissionDenied(TrackwireError):
    """A token's scope does not cover a call."""

    default_reason = "SCOPE_MISSING"

    def __init__(self, token_name: str, *, scope: str, needed: str):
        super().__init__(
            f"token {shown(token_name)} has the scope {scope}, and this needs {needed}",
            metadata={"token": token_name, "scope": scope, "needed": needed},
        )


def retry_seconds_of(error: TrackwireError) -> float | None:
    """After how long the same call may be sent again; None where it would fail again."""
    return error.retry_after_seconds if isinstance(error, Overloaded | StorageFull | StoreUnavailable) else None
