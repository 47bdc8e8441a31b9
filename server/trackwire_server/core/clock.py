"""Where time and chance come in: both are injected, so that tests choose them."""

import time
import uuid
from collections.abc import Callable

Clock = Callable[[], int]
NewId = Callable[[], str]


def system_clock() -> int:
    """Now, in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def random_id() -> str:
    """32 hexadecimal digits."""
    return uuid.uuid4().hex
