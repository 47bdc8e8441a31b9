"""Places at which a test can end the process at once, as a crash would."""

import os
import signal
from collections.abc import Callable

from trackwire_server.core.errors import InvalidArgument

# Called with the name of the place that is passed.
Failpoint = Callable[[str], None]


def no_failpoint(_place: str) -> None:
    """Passes every place."""


def kill_at(setting: str) -> Failpoint:
    """From `place:n`: the n-th passage of that place is a SIGKILL; empty never is."""
    if not setting:
        return no_failpoint
    place, _, count = setting.partition(":")
    if not count.isdecimal() or int(count) < 1:
        raise InvalidArgument("failpoint", setting, "must be a place and a number, such as ingest.before_commit:7")
    passages_left = int(count)

    def pass_by(passed: str) -> None:
        nonlocal passages_left
        if passed == place:
            passages_left -= 1
            if passages_left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return pass_by
