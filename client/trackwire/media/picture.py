"""`trackwire.Image`: a picture out of whatever a script has of it, for `log_image`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from trackwire.media.images import as_pixels, write_image
from trackwire.media.packages import import_optional, is_instance
from trackwire.media.plain import type_name

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Image:
    """A picture of a file, an array, a list of rows or one of Pillow's. Needs Pillow."""

    def __init__(self, image: object) -> None:
        pillow = import_optional("PIL.Image", package="pillow", purpose="Image")
        if isinstance(image, str | os.PathLike):
            with pillow.open(image) as opened:
                self._image: Any = opened.copy()
        elif isinstance(image, pillow.Image):
            self._image = image
        else:
            self._image = _of_pixels(image, pillow)

    def to_pil(self) -> Any:
        """The same as a PIL.Image.Image."""
        return self._image

    def to_array(self) -> "NDArray[Any]":
        """The same as an array."""
        import numpy as np

        return np.array(self._image)

    def to_list(self) -> list[Any]:
        """All its pixels, row after row: numbers, or tuples of them where it has several channels."""
        array = self.to_array()
        if array.ndim == 2:
            return list(array.ravel().tolist())
        return list(map(tuple, array.reshape(-1, array.shape[2]).tolist()))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it in the format of the suffix."""
        write_image(self._image, Path(path))

    def resize(self, size: tuple[int, int]) -> Self:
        """A picture of this width and height of it."""
        return type(self)(self._image.resize(size))


def _of_pixels(image: object, pillow: Any) -> Any:
    import numpy as np

    if not isinstance(image, list) and not is_instance(image, "numpy", "ndarray"):
        raise TypeError(f"image: must be a path, an array, a list or a PIL.Image.Image, not {type_name(image)}")
    pixels = as_pixels(np.asarray(image))
    return pillow.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
