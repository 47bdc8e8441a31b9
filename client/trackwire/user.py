"""Who runs this process."""

import os
from collections.abc import Mapping
from pathlib import Path

# The order in which Python's getpass asks.
_VARIABLES = ("LOGNAME", "USER", "LNAME", "USERNAME")
_PASSWD = Path("/etc/passwd")


def user_name(environ: Mapping[str, str] = os.environ) -> str:
    """The operating system's name of the user; empty where there is only a number, as in some containers."""
    named = next((name for variable in _VARIABLES if (name := environ.get(variable))), "")
    found = named or _name_in(_PASSWD, os.getuid()) or _name_known_elsewhere()
    # What isn't UTF-8 no request can carry.
    return found.encode(errors="replace").decode()


def _name_in(passwd: Path, uid: int) -> str:
    """Read here, as the C library first asks a daemon, by a socket, which may ask a directory far away."""
    try:
        lines = passwd.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    fields = (line.split(":") for line in lines)
    return next((found[0] for found in fields if len(found) > 2 and found[2] == str(uid)), "")


def _name_known_elsewhere() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""
