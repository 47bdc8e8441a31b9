"""Images as files: arrays of numpy, and images of Pillow."""

import operator
import re
import time
import uuid
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackwire.errors import InvalidArgumentError
from trackwire.media.packages import import_optional, is_instance
from trackwire.media.plain import type_name
from trackwire.media.png import SIDE_PIXELS_MAX, encode_png

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A run that has image series says so by this tag, with the value "True".
IMAGES_TAG = "mlflow.loggedImages"
THUMBNAIL_SIDE_PIXELS_MAX = 256
FILE_NAME_BYTES_MAX = 255

_NOT_OF_KEYS = re.compile(r"[^a-zA-Z0-9_\-./ ]")
_SHAPES = "H×W, H×W×1, H×W×3 or H×W×4"


@dataclass(frozen=True, slots=True)
class ImagePaths:
    """Where an image lies among the run's artifacts, and its thumbnail; one that is of no series has none."""

    image: str
    thumbnail: str = ""


def image_paths(artifact_file: str | None, key: str | None, step: int | None, time_ms: int | None) -> ImagePaths:
    """Where an image goes that is logged as a file, or as one of a series at a step (from 0) and a time (by now)."""
    if artifact_file is not None and key is None:
        return ImagePaths(artifact_file)
    if artifact_file is not None or key is None:
        raise InvalidArgumentError("log_image: give either an artifact_file or a key")
    return series_paths(key, step or 0, time.time_ns() // 1_000_000 if time_ms is None else time_ms)


def series_paths(key: str, step: int, time_ms: int) -> ImagePaths:
    """New names for an image of a series, as MLflow makes them; no two calls give the same."""
    if not isinstance(key, str):
        raise TypeError(f"key: {key!r}: must be a str, not {type_name(key)}")
    if not key:
        raise ValueError(f"key: {key!r}: is required")
    if other := _NOT_OF_KEYS.search(key):
        raise ValueError(f'key: {key!r}: may only have a-z, A-Z, 0-9, "_", "-", ".", "/" and space, not {other[0]!r}')
    # "+" is no letter of a key, and unlike "%" means nothing where a path is decoded.
    name = f"{key.replace('/', '~')}+step+{_whole('step', step)}+timestamp+{_whole('time_ms', time_ms)}+{uuid.uuid4()}"
    thumbnail = f"{name}+compressed.webp"
    if (excess := len(thumbnail) - FILE_NAME_BYTES_MAX) > 0:
        raise ValueError(
            f"key: {key[:60]!r}…: has {len(key)} characters, at most {len(key) - excess} fit a file's name"
        )
    return ImagePaths(f"images/{name}.png", f"images/{thumbnail}")


def write_image(image: object, path: Path) -> None:
    """Writes an image in the format of the suffix; of an array, .png needs no Pillow.

    Arrays are H×W, H×W×1, H×W×3 or H×W×4, of bools, integers 0 to 255 or floats 0 to 1. Numbers outside are clipped,
    and a warning says so.
    """
    image = _unwrapped(image)
    if is_instance(image, "PIL.Image", "Image"):
        _save(image, path)
        return
    pixels = as_pixels(image)
    if path.suffix.lower() == ".png":
        path.write_bytes(encode_png(pixels))
    else:
        _save(_pillow_image(pixels, f"log_image of an array to {path.suffix or 'a file without a suffix'}"), path)


def write_thumbnail(image: object, path: Path) -> bool:
    """Writes a WebP of at most 256 pixels a side, never larger than the image; False where Pillow can't: no file."""
    try:
        import_optional("PIL.Image", package="pillow", purpose="a thumbnail")
        features = import_optional("PIL.features", package="pillow", purpose="a thumbnail")
    except ModuleNotFoundError:
        return False
    if not features.check("webp"):
        return False
    image = _unwrapped(image)
    source: Any = image if is_instance(image, "PIL.Image", "Image") else _pillow_image(as_pixels(image), "a thumbnail")
    transparent = "A" in source.getbands() or "transparency" in source.info
    thumbnail = source.convert("RGBA" if transparent else "RGB")
    thumbnail.thumbnail((THUMBNAIL_SIDE_PIXELS_MAX, THUMBNAIL_SIDE_PIXELS_MAX))
    thumbnail.save(path, format="WEBP")
    return True


def as_pixels(image: object) -> "NDArray[Any]":
    """An array as uint8 of H×W×channels. TypeError and ValueError name its type, dtype or shape."""
    if not is_instance(image, "numpy", "ndarray"):
        raise TypeError(f"image: must be a numpy.ndarray or a PIL.Image.Image, not {type_name(image)}")
    import numpy as np

    # Without what a subclass makes of its shape.
    array: Any = np.asarray(image)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"image: must be of bools, integers or floats, not of {array.dtype}")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise ValueError(f"image: must be of the shape {_SHAPES}, not {array.shape}")
    if not all(1 <= side <= SIDE_PIXELS_MAX for side in array.shape[:2]):
        raise ValueError(f"image: must have 1 to {SIDE_PIXELS_MAX} pixels a side, not the shape {array.shape}")
    channels = array.shape[2] if array.ndim == 3 else 1
    height, width = array.shape[:2]
    return _bytes_of(array).reshape(int(height), int(width), channels)


def _unwrapped(image: object) -> object:
    """A `trackwire.Image` is what it was made of, as Pillow has it."""
    picture: Any = image
    return picture.to_pil() if is_instance(image, "trackwire.media.picture", "Image") else image


def _bytes_of(array: Any) -> "NDArray[Any]":
    import numpy as np

    if array.dtype.kind == "b":
        return np.where(array, np.uint8(255), np.uint8(0))
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    high = 1 if array.dtype.kind == "f" else 255
    # Said so that NaN is outside too.
    if not (array.min() >= 0 and array.max() <= high):
        _warn_of_clipping(array.dtype.kind)
        # An int8 has no 255.
        array = np.clip(np.nan_to_num(array, nan=0), 0, high if high == 1 else min(high, np.iinfo(array.dtype).max))
    if array.dtype.kind != "f":
        return np.asarray(array, np.uint8)
    # float16 would not tell neighbours apart once they are multiplied.
    floats: NDArray[Any] = array.astype(np.float32) if array.dtype.itemsize < 4 else array
    scaled: NDArray[Any] = np.rint(floats * 255)
    return scaled.astype(np.uint8)


def _warn_of_clipping(kind: str) -> None:
    # The same words from the same line: Python's default filter shows them once a process, not once an image.
    allowed = "floats are 0.0 to 1.0 (NaN becomes 0)" if kind == "f" else "integers are 0 to 255"
    warnings.warn(f"log_image: {allowed}; numbers outside are clipped. Scale the image before", stacklevel=1)


def _pillow_image(pixels: "NDArray[Any]", purpose: str) -> Any:
    pillow = import_optional("PIL.Image", package="pillow", purpose=purpose)
    return pillow.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _save(image: Any, path: Path) -> None:
    pillow = import_optional("PIL.Image", package="pillow", purpose="log_image")
    name = pillow.registered_extensions().get(path.suffix.lower())
    if name not in pillow.SAVE:
        raise ValueError(f"artifact_file: {path.name!r}: Pillow writes no {path.suffix or 'file without a suffix'}")
    try:
        image.save(path)
    except OSError as error:
        # Pillow's own refusals have no errno; a full disk has one.
        if error.errno is not None:
            raise
        raise ValueError(f"image: {error}: convert the image, or choose another suffix than {path.suffix}") from None


def _whole(name: str, number: int) -> int:
    try:
        return operator.index(number)
    except TypeError:
        raise TypeError(f"{name}: {number!r}: must be an int, not {type_name(number)}") from None
