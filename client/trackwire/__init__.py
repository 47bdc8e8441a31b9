"""Trackwire: experiment tracking over the wire.

Names are loaded when they are first used, so that `import trackwire` costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trackwire.client import Client
    from trackwire.errors import TrackwireError

_MODULE_OF_NAME = {
    "Client": "trackwire.client",
    "TrackwireError": "trackwire.errors",
}

__all__ = ["Client", "TrackwireError"]


def __getattr__(name: str) -> object:
    if name == "__version__":
        metadata = importlib.import_module("importlib.metadata")
        return metadata.version("trackwire")
    module = _MODULE_OF_NAME.get(name)
    if module is None:
        raise AttributeError(f"module 'trackwire' has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
