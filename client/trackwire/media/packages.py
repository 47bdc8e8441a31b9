"""Packages that a training may have and trackwire does not need."""

import importlib
import sys
from types import ModuleType


def import_optional(module: str, *, package: str, purpose: str) -> ModuleType:
    """A module of an optional package; where it is missing, the error says what for and how to install it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A package that is there and lacks one of its own says so itself.
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise ModuleNotFoundError(f"{purpose} needs {package}: pip install {package}", name=error.name) from None


def is_instance(value: object, module: str, name: str) -> bool:
    """Whether a value is an instance of a package's class. Imports nothing: who has an instance has the module."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(value, getattr(loaded, name, ()))
