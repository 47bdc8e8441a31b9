"""A request's id: its caller's, or made here. Its lines in the log, its answer and its error all bear it."""

import itertools
import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar

# As a header over HTTP, and in metadata and trailers over gRPC.
HEADER = "x-request-id"
CHARACTERS_MAX = 128
_ACCEPTED = re.compile(rf"[A-Za-z0-9._:/+=@-]{{1,{CHARACTERS_MAX}}}")

# "" outside of requests.
current_request_id: ContextVar[str] = ContextVar("request_id", default="")


def counted_ids() -> Callable[[], str]:
    """Makes ids that no other process makes, at a fifth of the cost of a random one each."""
    prefix, count = secrets.token_hex(8), itertools.count(1)
    return lambda: f"{prefix}-{next(count):x}"


def is_acceptable(said: str) -> bool:
    """Whether a caller's own id is taken. In place of others one is made, which the answer tells."""
    return _ACCEPTED.fullmatch(said) is not None
