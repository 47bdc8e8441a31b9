"""Which ways around the server a client takes: what was tried once without success is not tried again."""

import logging
import os
import threading
from typing import Self

from trackwire.client.presigned.urls import StoreFailure, origin_of
from trackwire.errors import InvalidArgumentError, TrackwireError, UnimplementedError

VARIABLE = "TRACKWIRE_PRESIGNED_URLS"
_REFUSALS = ("PRESIGNED_URLS_UNSUPPORTED", "ARTIFACT_STORE_REFUSES")
_WORDS = {"": True, "on": True, "off": False}
# Of smaller files a call for the URL and a connection to the store take longer than the way through the server.
AROUND_BYTES_MIN = 8 * 1024 * 1024
# Owners without URLs cost a call each when they are forgotten.
_OWNERS_MAX = 10_000

logger = logging.getLogger(__name__)


class Places:
    """Of one client. Safe to use from many threads."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self._lock = threading.Lock()
        self._owners_without: set[str] = set()
        self._unreachable: set[str] = set()
        self._told = False

    @classmethod
    def of_environment(cls) -> Self:
        """As TRACKWIRE_PRESIGNED_URLS says. Raises InvalidArgumentError."""
        text = os.environ.get(VARIABLE, "")
        if text.lower() not in _WORDS:
            raise InvalidArgumentError(
                f"{VARIABLE}: {text!r}: must be one of on, off", metadata={"field": VARIABLE, "value": text}
            )
        return cls(wanted=_WORDS[text.lower()])

    def is_worth_asking(self, owner_id: str, size_bytes: int) -> bool:
        """Whether so many bytes of a run or a logged model may go around the server."""
        return self._wanted and size_bytes >= AROUND_BYTES_MIN and owner_id not in self._owners_without

    def is_reachable(self, owner_id: str, url: str) -> bool:
        """Whether the store of a URL may be called; its owner is ruled out where not."""
        if origin_of(url) not in self._unreachable:
            return True
        self._forget_owner(owner_id)
        return False

    def note_refusal(self, owner_id: str, error: TrackwireError) -> bool:
        """Rules an owner out whose store has no URLs, or whose server knows none or may not do what they need; whether
        an error says so.
        """
        if not isinstance(error, UnimplementedError) and error.reason not in _REFUSALS:
            return False
        self._forget_owner(owner_id)
        if not self._told:
            self._told = True
            logger.info("files go through the server, as its artifact store has no URLs for clients: %s", error)
        return True

    def note_failure(self, owner_id: str, url: str, failure: StoreFailure) -> None:
        """Rules out a store that has not given or taken a byte, unless it may do so for the next file."""
        if not failure.is_lasting:
            logger.info("a file goes through the server: %s", failure)
            return
        self._forget_owner(owner_id)
        with self._lock:
            is_news = origin_of(url) not in self._unreachable
            self._unreachable.add(origin_of(url))
        if is_news:
            logger.warning("files go through the server, as this client has no way to its artifact store: %s", failure)

    def _forget_owner(self, owner_id: str) -> None:
        with self._lock:
            if len(self._owners_without) >= _OWNERS_MAX:
                self._owners_without.clear()
            self._owners_without.add(owner_id)
