"""What settings may say about all but where things lie: numbers, words, folders, ports.

The parsers raise ValueError saying what would be right.
"""

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

SECONDS_MAX = 86_400
S3_ENCRYPTIONS = ("AES256", "aws:kms", "aws:kms:dsse")
WORKERS_MAX = 64
# The words that MLflow's own command line takes.
SWITCH = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


def folder(text: str) -> Path:
    """A folder, absolute."""
    # "?" would begin the options of the database's URI.
    if not text.strip() or "\0" in text or "?" in text:
        raise ValueError('must be a folder, without "?" in its path')
    return Path(text).expanduser().absolute()


def folder_or_none(text: str) -> Path | None:
    """The same; None for no text."""
    return folder(text) if text else None


def path_or_none(text: str) -> Path | None:
    """A file; None for no text."""
    if "\0" in text:
        raise ValueError("must be a file")
    return Path(text).expanduser().absolute() if text.strip() else None


def switch(text: str) -> bool:
    """Whether something is on."""
    if text.lower() not in SWITCH:
        raise ValueError(f"must be one of {', '.join(SWITCH)}")
    return SWITCH[text.lower()]


def static_prefix(text: str) -> str:
    """A path before all others; no text for none."""
    if text and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", text):
        raise ValueError('must be a path such as /trackwire, without "/" at its end')
    return text


def host(text: str) -> str:
    """A host."""
    if not re.fullmatch(r"[A-Za-z0-9._:-]+", text):
        raise ValueError("must be a host name or an IP address, without a port")
    return text


def host_patterns(text: str) -> Sequence[str]:
    """Hosts behind commas, in each of which * stands for anything; none for no text."""
    patterns = [each.strip() for each in text.split(",")] if text.strip() else []
    if not all(re.fullmatch(r"[A-Za-z0-9._:*-]+", each) for each in patterns):
        raise ValueError("must be host names such as tracker.example or *.example, with commas between them")
    return tuple(patterns)


def port(text: str) -> int:
    """A port; 0 for a free one."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65_535:
        raise ValueError("must be a whole number from 0 to 65,535")
    return int(text)


def port_or_off(text: str) -> int | None:
    """The same; None for none."""
    if text == "off":
        return None
    try:
        return port(text)
    except ValueError as error:
        raise ValueError(f"{error}, or off") from error


def seconds(text: str) -> float:
    """A duration."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= SECONDS_MAX:
        raise ValueError(f"must be a number of seconds from 0 to {SECONDS_MAX:,}")
    return seconds


def connections(text: str) -> int:
    """How many connections a pool has."""
    # Compaction takes two of them at a time.
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) < 2:
        raise ValueError("must be a whole number from 2 to 999")
    return int(text)


def workers(text: str) -> int:
    """A number of processes."""
    if not re.fullmatch(r"[1-9][0-9]?", text) or int(text) > WORKERS_MAX:
        raise ValueError(f"must be a whole number from 1 to {WORKERS_MAX}")
    return int(text)


def failpoint(text: str) -> str:
    """A place and a number; no text for none."""
    if not re.fullmatch(r"([a-z_.]+:[1-9][0-9]{0,8})?", text):
        raise ValueError("must be a place and a number, such as ingest.before_commit:7")
    return text


def rows(text: str) -> int:
    """A number of rows."""
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise ValueError("must be a whole number from 1 to 999,999")
    return int(text)


def one_of(choices: Sequence[str]) -> Callable[[str], str]:
    """One of some words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse


def s3_encryption(text: str) -> str:
    """How S3 encrypts; "" as the bucket's settings say."""
    return one_of(S3_ENCRYPTIONS)(text) if text else ""
