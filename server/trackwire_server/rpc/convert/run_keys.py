"""The messages and values of the keys that runs have, each way."""

from collections.abc import Sequence

from trackwire.v1 import runs_pb2 as pb
from trackwire_server.core.errors import InvalidArgument
from trackwire_server.core.run_keys import RunKey, RunKeyKind

_KIND_TO_PROTO = {
    RunKeyKind.METRIC: pb.RUN_KEY_KIND_METRIC,
    RunKeyKind.PARAM: pb.RUN_KEY_KIND_PARAM,
    RunKeyKind.TAG: pb.RUN_KEY_KIND_TAG,
}
_KIND_FROM_PROTO = {number: kind for kind, number in _KIND_TO_PROTO.items()}


def kinds_from_proto(kinds: Sequence[pb.RunKeyKind]) -> list[RunKeyKind]:
    """The kinds of keys that are asked for. Raises InvalidArgument."""
    limit = len(_KIND_FROM_PROTO)
    if len(kinds) > limit:
        raise InvalidArgument("kinds", len(kinds), f"at most {limit} kinds are allowed in one request", limit=limit)
    for index, kind in enumerate(kinds):
        if kind not in _KIND_FROM_PROTO:
            known = ", ".join(pb.RunKeyKind.keys()[1:])
            raise InvalidArgument(f"kinds[{index}]", kind, f"is no kind of keys; there are {known}")
    return [_KIND_FROM_PROTO[kind] for kind in kinds]


def key_to_proto(key: RunKey) -> pb.RunKey:
    """A key that runs have."""
    return pb.RunKey(kind=_KIND_TO_PROTO[key.kind], key=key.key)
