"""The server that is asked: a client for each address, made when it is first needed, and anew in a forked child."""

import os
import threading
from typing import TYPE_CHECKING

from trackwire.errors import FailedPreconditionError
from trackwire.fluent.active import runs_under_way
from trackwire.fluent.choices import chosen_destination
from trackwire.fluent.settings import Destination, destination
from trackwire.fluent.waiting import Patience

if TYPE_CHECKING:
    from trackwire.client import Client

# How long a read waits for what this process has logged before it; then it reads what is there.
SETTLE_SECONDS = 10.0

_clients: "dict[tuple[int, str], Client]" = {}
_making = threading.Lock()


def client_for(asked: str, tracking_uri: str | None = None) -> "Client":
    """The client of the server that `set_tracking_uri` or the environment names, or of the one at `tracking_uri`.

    What this process's runs under way have logged so far is on the server first, so that a read finds it. `asked` is
    the name of the call, for the error where no server is configured.
    """
    place = chosen_destination() if tracking_uri is None else destination(tracking_uri)
    if not place.address:
        raise _offline_error(asked, place)
    patience = Patience(SETTLE_SECONDS, place)
    for run in runs_under_way():
        run.settle(patience)
    return _client_of(place.address)


def _client_of(address: str) -> "Client":
    from trackwire.client import Client

    # A channel does not survive a fork. That of the parent stays in the table: closing it here would be a call on it.
    key = (os.getpid(), address)
    with _making:
        if key not in _clients:
            _clients[key] = Client(address)
        return _clients[key]


def _offline_error(asked: str, place: Destination) -> FailedPreconditionError:
    mode = os.environ.get("TRACKWIRE_MODE", "")
    why = f"TRACKWIRE_MODE={mode} means that no server is asked" if mode else "no server is configured to ask"
    runs = "runs are not kept" if place.mode == "disabled" else f"runs lie in {place.spool}"
    return FailedPreconditionError(
        f"{asked}: {why}, and {runs}: name one by set_tracking_uri() or"
        " TRACKWIRE_TRACKING_URI (`trackwire server` starts one, `trackwire sync` sends it what lies there)",
        reason="NO_SERVER",
        metadata={"asked": asked, "spool": str(place.spool)},
    )


def _begin_again_in_child() -> None:
    global _making
    # Another thread of the parent's may have held it.
    _making = threading.Lock()


os.register_at_fork(after_in_child=_begin_again_in_child)
