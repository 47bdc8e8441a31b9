"""What the process and its environment say: where runs go, how, and into which experiment.

Each variable is read as TRACKWIRE_… and, where that is not set, as MLFLOW_….
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, cast, get_args

from trackwire.address import parse_address
from trackwire.errors import InvalidArgumentError
from trackwire.fluent.checks import EXPERIMENT_NAME_CHARACTERS_MAX, checked_text

Mode: TypeAlias = Literal["online", "offline", "disabled"]
MODES: tuple[str, ...] = get_args(Mode)
PREFIXES = ("TRACKWIRE_", "MLFLOW_")
# The next training within it needs no new process; one that waits holds 43 MB.
SHIPPER_IDLE_SECONDS = 30.0
_FLAGS = {"true": True, "false": False, "1": True, "0": False}
_CONSOLE = {"on": True, "off": False}
DEFAULT_EXPERIMENT_ID = "0"
SPOOL_FOLDER = Path(".trackwire") / "spool"

# File systems on which locks or mapped files are known to fail, or whose writes cross a network.
_NETWORK_FILE_SYSTEMS = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p"),
        *("lustre", "gpfs", "beegfs", "beegfs_nodev", "ceph", "wekafs", "glusterfs", "orangefs", "pvfs2", "panfs"),
        *("fuse.glusterfs", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.juicefs"),
    )
)


class Destination(NamedTuple):
    """Where a run's records go: a spool folder and, online, the server that they are sent on to."""

    mode: Mode
    spool: Path
    # host:port; empty where nobody is to send them on.
    address: str = ""
    # Why the spool is not where it would be by default; empty where it is.
    notice: str = ""
    # Whether nobody has said anything of where runs go.
    is_by_default: bool = False
    # How long the process that sends them on stays when nothing is left.
    shipper_idle_seconds: float = SHIPPER_IDLE_SECONDS


class ExperimentChoice(NamedTuple):
    """An experiment by id or by name; by name it is made if there is none. Neither: the default one."""

    experiment_id: str = ""
    name: str = ""


def variable(name: str) -> str:
    """A variable of the environment under the first prefix that has it; empty where none does."""
    return next((value for prefix in PREFIXES if (value := os.environ.get(prefix + name, ""))), "")


def variable_name(name: str) -> str:
    """What a variable is called that `variable` finds: whose value is wrong is told by that."""
    return next((prefix + name for prefix in PREFIXES if os.environ.get(prefix + name, "")), PREFIXES[0] + name)


def flag_of_environment(name: str) -> bool:
    """A variable that is true or false, as MLflow's are; false where it is not set."""
    return _flag(variable_name(name), variable(name), _FLAGS)


def checked_flag(field: str, value: object) -> bool | None:
    """An argument that is True, False or None."""
    if value is None or isinstance(value, bool):
        return value
    raise InvalidArgumentError(f"{field}: {value!r}: must be True, False or None", metadata={"field": field})


def checked_seconds(field: str, value: float | str, *, at_least: float) -> float:
    """A number of seconds."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if not at_least <= seconds < float("inf"):
        raise InvalidArgumentError(
            f"{field}: {value!r}: must be a number of seconds, {at_least:g} or more",
            metadata={"field": field, "value": str(value)},
        )
    return seconds


def console_of_environment() -> bool:
    """Whether what runs print is captured: unless TRACKWIRE_CONSOLE says that it is not."""
    return _flag("TRACKWIRE_CONSOLE", os.environ.get("TRACKWIRE_CONSOLE", "") or "on", _CONSOLE)


def destination(tracking_uri: str | None, mode: str | None = None) -> Destination:
    """Where runs go. Raises InvalidArgumentError, which names the argument or the variable.

    Without a URI, by argument or …_TRACKING_URI, all stays in the spool: offline, which needs no server.
    """
    uri = tracking_uri if tracking_uri is not None else variable("TRACKING_URI")
    chosen = _mode(mode)
    folder = _local_folder(uri)
    if folder is not None:
        return Destination("disabled" if chosen == "disabled" else "offline", folder)
    field = variable_name("TRACKING_URI") if tracking_uri is None else "tracking_uri"
    address = parse_address(uri, field=field) if uri else ""
    spool, notice = _spool_folder()
    if chosen == "online" and not address:
        raise InvalidArgumentError("mode: 'online': needs a server: set_tracking_uri, or TRACKWIRE_TRACKING_URI")
    mode_of_uri: Mode = "online" if address else "offline"
    used = "" if chosen in ("offline", "disabled") else address
    by_default = tracking_uri is None and not uri and chosen is None
    return Destination(chosen or mode_of_uri, spool, used, notice, by_default, _shipper_idle_seconds())


def experiment_choice(experiment_id: str | None, chosen: ExperimentChoice | None) -> ExperimentChoice:
    """In this order: the argument, `set_experiment`, …_EXPERIMENT_NAME, …_EXPERIMENT_ID, the default one."""
    if experiment_id is not None:
        return ExperimentChoice(experiment_id=checked_experiment_id("experiment_id", experiment_id))
    if chosen is not None:
        return chosen
    name = variable("EXPERIMENT_NAME")
    if name:
        return ExperimentChoice(name=checked_experiment_name(variable_name("EXPERIMENT_NAME"), name))
    named = variable("EXPERIMENT_ID")
    return ExperimentChoice(experiment_id=named and checked_experiment_id(variable_name("EXPERIMENT_ID"), named))


def checked_experiment_name(field: str, name: str) -> str:
    """The name of an experiment."""
    if not name:
        raise InvalidArgumentError(f"{field}: '': is required", metadata={"field": field})
    return checked_text(field, name, EXPERIMENT_NAME_CHARACTERS_MAX)


def checked_experiment_id(field: str, experiment_id: str | int) -> str:
    """The id of an experiment, a number that its server has given it."""
    text = str(experiment_id)
    if not (text.isascii() and text.isdecimal()):
        raise InvalidArgumentError(
            f"{field}: {text!r}: must be a decimal number, as `trackwire experiments list` shows it; a name goes into"
            " set_experiment(name)",
            metadata={"field": field, "value": text},
        )
    return text


def _mode(argument: str | None) -> Mode | None:
    field = "TRACKWIRE_MODE" if argument is None else "mode"
    mode = os.environ.get(field, "") if argument is None else argument
    for known in get_args(Mode):
        if mode == known:
            return cast("Mode", known)
    if mode:
        raise InvalidArgumentError(
            f"{field}: {mode!r}: must be one of {', '.join(MODES)}", metadata={"field": field, "value": mode}
        )
    return None


def _flag(field: str, text: str, words: Mapping[str, bool]) -> bool:
    """What one of the words means; false where there is none."""
    if text.lower() not in ("", *words):
        raise InvalidArgumentError(
            f"{field}: {text!r}: must be one of {', '.join(words)}", metadata={"field": field, "value": text}
        )
    return words.get(text.lower(), False)


def _shipper_idle_seconds() -> float:
    field = "TRACKWIRE_SHIPPER_IDLE_SECONDS"
    text = os.environ.get(field, "")
    return checked_seconds(field, text, at_least=0) if text else SHIPPER_IDLE_SECONDS


def _local_folder(uri: str) -> Path | None:
    """The spool that a URI of the local file system means: `file:…`, or a path that can't be an address."""
    if uri.startswith("file:"):
        from urllib.parse import unquote, urlsplit

        return Path(unquote(urlsplit(uri).path)).absolute()
    if uri.startswith(("/", "./", "../", "~")):
        return Path(uri).expanduser().absolute()
    return None


def _spool_folder() -> tuple[Path, str]:
    """TRACKWIRE_SPOOL_DIR, else below the working directory, else on the local disk, and then why.

    So it is where the working directory is on a network file system, or takes no files.
    """
    named = os.environ.get("TRACKWIRE_SPOOL_DIR", "")
    if named:
        return Path(named).expanduser().absolute(), ""
    try:
        folder = SPOOL_FOLDER.absolute()
    except FileNotFoundError:
        why = "the working directory was deleted"
    else:
        why = _why_not_in(folder)
    if not why:
        return folder, ""
    import tempfile

    local = Path(tempfile.gettempdir()) / f"trackwire-{os.getuid()}" / "spool"
    return local, f"{why}: the spool is {local}"


def _why_not_in(folder: Path) -> str:
    """Why a folder that may not be there yet can't be the spool; empty where it can."""
    kind = file_system_of(folder)
    if kind in _NETWORK_FILE_SYSTEMS:
        return f"{folder.parent.parent} is on {kind}, a network file system"
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    return "" if os.access(there, os.W_OK | os.X_OK) else f"{folder.parent.parent} can't be written to"


def file_system_of(folder: Path) -> str:
    """The kind of file system that a folder is or would be on, as the kernel names it; empty where it can't be told."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text()
    except OSError:
        return ""
    parts = folder.resolve().parts
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, behind = line.partition(" - ")
        point = Path(before.split()[4].encode().decode("unicode_escape")).parts
        # Of two mounts at one point the later one lies on top.
        if point == parts[: len(point)] and len(point) >= best:
            best, kind = len(point), behind.split()[0]
    return kind
