"""Keeps what libraries would load, and nobody here uses, out of the process: a seventh of the start."""

import sys
from importlib.metadata import version
from types import ModuleType

# The series of SQLAlchemy in which sessions are two modules that the rest of `sqlalchemy.ext.asyncio` can do without.
_KNOWN_SERIES = (["2", "0"], ["2", "1"])
_SESSION_MODULES = ("sqlalchemy.ext.asyncio.session", "sqlalchemy.ext.asyncio.scoping")


def leave_out_what_is_not_used() -> None:
    """For the whole process; what has been loaded already stays."""
    # structlog would load it where it is installed, for tracebacks that nobody draws here.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
    # With sessions comes the whole ORM. Another series may want them: then it starts slower.
    if version("sqlalchemy").split(".")[:2] in _KNOWN_SERIES:
        for name in _SESSION_MODULES:
            sys.modules.setdefault(name, _Nothing(name))


class _Nothing(ModuleType):
    """A module from which anything can be imported, and nothing used."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(f"{self.__name__} was left out of this process: it has no {name}")
