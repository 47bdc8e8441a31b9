"""What the user is told, by `logging`: which takes 5 ms to load, and is loaded when there is something to tell."""

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import logging


class _Logger:
    """Stands for the logger of this package until it is used."""

    def __getattr__(self, name: str) -> Any:
        import logging

        return getattr(logging.getLogger("trackwire"), name)


logger = cast("logging.Logger", _Logger())
