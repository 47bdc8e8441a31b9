"""Who runs this process."""

import getpass


def user_name() -> str:
    """The operating system's name of the user; empty where there is only a number, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
