"""Processes that write to a spool and do what tests tell them, a line at a time."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What a child has at hand: a stream in the spool that its argument names, and `say`.
_BEGIN = """
import json, logging, os, sys, threading, time
from pathlib import Path
from trackwire.columns import MetricColumns, encode_ingest
from trackwire.spool.kinds import RecordKind
from trackwire.spool.stream import SpoolStream

def say(**what):
    print(json.dumps(what), flush=True)

logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stderr)
stream = SpoolStream.create(Path(sys.argv[1]), run_id="run-1", tracking_uri="")
"""


@contextmanager
def child(spool: Path, program: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs the program; killed where it outlives the test."""
    command = [sys.executable, "-c", _BEGIN + program, str(spool)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str], line: str = "") -> str:
    """Sends a line, if there is one, and waits for the answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    if line:
        process.stdin.write(line + "\n")
        process.stdin.flush()
    return process.stdout.readline()


def ended(process: subprocess.Popen[str]) -> str:
    """Lets the process end, which must go well; what it wrote to stderr."""
    _out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    return error
