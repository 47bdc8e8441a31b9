"""A PNG written here is, pixel for pixel, what Pillow reads; with and without Pillow."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from tests.client.media.conftest import FreshPython

from trackwire.media.images import as_pixels, series_paths, write_image, write_thumbnail
from trackwire.media.png import encode_png
from trackwire_server.core.artifact_paths import check_artifact_path

SIDES = st.integers(1, 9)
SHAPES = st.one_of(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES, st.sampled_from([1, 3, 4])))
WHOLE_TYPES = [
    np.dtype(f"{order}{kind}") for kind in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8") for order in "<>"
]
FLOAT_TYPES = [np.dtype(f"{order}{kind}") for kind in ("f2", "f4", "f8") for order in "<>"]
IMAGES = arrays.arrays(np.uint8, SHAPES)


def read_back(array: np.ndarray, folder: Path) -> np.ndarray:
    path = folder / "image.png"
    write_image(array, path)
    with Image.open(path) as image:
        assert image.format == "PNG"
        image.verify()
    with Image.open(path) as image:
        return np.asarray(image)


def without_single_channel(array: np.ndarray) -> np.ndarray:
    return array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array


@given(IMAGES, st.sampled_from(WHOLE_TYPES))
def test_whole_numbers_are_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, image: np.ndarray, dtype: np.dtype
) -> None:
    if dtype == np.int8:
        image = image // 2
    pixels = read_back(image.astype(dtype), tmp_path_factory.mktemp("image"))
    np.testing.assert_array_equal(pixels, without_single_channel(image))


@given(IMAGES, st.sampled_from(FLOAT_TYPES))
def test_floats_are_read_back_as_the_bytes_they_came_from(
    tmp_path_factory: pytest.TempPathFactory, image: np.ndarray, dtype: np.dtype
) -> None:
    pixels = read_back((image / 255).astype(dtype), tmp_path_factory.mktemp("image"))
    np.testing.assert_array_equal(pixels, without_single_channel(image))


@given(arrays.arrays(np.bool_, SHAPES))
def test_bools_are_black_and_white(tmp_path_factory: pytest.TempPathFactory, image: np.ndarray) -> None:
    pixels = read_back(image, tmp_path_factory.mktemp("image"))
    np.testing.assert_array_equal(pixels, without_single_channel(image) * np.uint8(255))


@given(arrays.arrays(st.sampled_from(WHOLE_TYPES + FLOAT_TYPES), SHAPES))
def test_any_number_is_clipped_into_its_range(image: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pixels = as_pixels(image)
    assert pixels.dtype == np.uint8
    assert pixels.shape[:2] == image.shape[:2]
    flat = image.reshape(pixels.shape)
    high = 1 if image.dtype.kind == "f" else 255
    assert (pixels[flat <= 0] == 0).all()
    assert (pixels[flat >= high] == 255).all()
    assert (pixels[np.isnan(flat)] == 0).all()


def test_strides_of_any_kind_are_taken(tmp_path: Path) -> None:
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    for view in (image[::-1, ::2], image.transpose(1, 0, 2), np.asfortranarray(image)):
        np.testing.assert_array_equal(read_back(view, tmp_path), view)


def test_large_image_is_read_back_as_it_was(tmp_path: Path) -> None:
    image = np.random.default_rng(1).integers(0, 256, (701, 1203, 3), np.uint8)
    np.testing.assert_array_equal(read_back(image, tmp_path), image)


@pytest.mark.parametrize(
    ("image", "pixels", "words"),
    [
        (np.array([[-1, 0, 256]]), [[0, 0, 255]], "integers are 0 to 255"),
        (np.array([[-100, 5, 127]], np.int8), [[0, 5, 127]], "integers are 0 to 255"),
        (np.array([[-0.1, 1.0, 1.1]]), [[0, 255, 255]], r"floats are 0\.0 to 1\.0"),
        (np.array([[np.nan, np.inf, -np.inf]], np.float16), [[0, 255, 0]], "NaN becomes 0"),
    ],
)
def test_clipping_is_told(image: np.ndarray, pixels: list[list[int]], words: str) -> None:
    with pytest.warns(UserWarning, match=words):
        clipped = as_pixels(image)
    assert clipped[:, :, 0].tolist() == pixels


def test_clipping_is_told_once_a_process(fresh_python: FreshPython) -> None:
    output = fresh_python(
        "sys.stderr = sys.stdout\n"
        "import numpy as np\n"
        "from trackwire.media.images import as_pixels\n"
        "for high in (1.5, 2.5, 3.5): as_pixels(np.full((2, 2), high))\n"
    )
    assert output.count("UserWarning") == 1


@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (np.zeros(3), ValueError, r"not \(3,\)"),
        (np.zeros((2, 2, 2)), ValueError, r"H×W×1.*not \(2, 2, 2\)"),
        (np.zeros((1, 2, 2, 3)), ValueError, r"not \(1, 2, 2, 3\)"),
        (np.zeros((0, 5)), ValueError, r"1 to 2147483647 pixels a side.*\(0, 5\)"),
        (np.zeros((2, 2), complex), TypeError, "not of complex128"),
        (np.full((2, 2), "a"), TypeError, "not of <U1"),
        (np.zeros((2, 2), object), TypeError, "not of object"),
        ([[1, 2]], TypeError, r"numpy\.ndarray or a PIL\.Image\.Image, not list"),
        (Path("cat.png"), TypeError, r"not pathlib\.PosixPath"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path: Path, image: object, error: type[Exception], words: str) -> None:
    path = tmp_path / "image.png"
    with pytest.raises(error, match=f"^image: .*{words}"):
        write_image(image, path)
    assert not path.exists()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pillow_image_is_stored_in_its_own_mode(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (5, 4))
    write_image(image, tmp_path / "image.png")
    with Image.open(tmp_path / "image.png") as stored:
        assert (stored.mode, stored.size) == (mode, (5, 4))


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp", ".bmp", ".gif", ".tiff"])
def test_other_formats_go_through_pillow(tmp_path: Path, suffix: str) -> None:
    write_image(np.full((4, 5, 3), 100, np.uint8), tmp_path / f"image{suffix}")
    with Image.open(tmp_path / f"image{suffix}") as stored:
        assert stored.size == (5, 4)


@pytest.mark.parametrize(
    ("image", "name", "words"),
    [
        (np.zeros((2, 2, 4), np.uint8), "a.jpg", "RGBA.*choose another suffix than .jpg"),
        (Image.new("CMYK", (2, 2)), "a.png", "CMYK"),
        (np.zeros((2, 2), np.uint8), "a.txt", r"artifact_file: 'a\.txt': Pillow writes no \.txt"),
        (np.zeros((2, 2), np.uint8), "a", "no file without a suffix"),
        (Image.new("L", (2, 2)), "a.psd", r"Pillow writes no \.psd"),
    ],
)
def test_format_that_cannot_hold_the_image_is_refused(tmp_path: Path, image: object, name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        write_image(image, tmp_path / name)


def test_png_needs_no_pillow_and_other_formats_name_it(fresh_python: FreshPython) -> None:
    output = fresh_python(
        "from trackwire.media import images\n"
        "assert 'numpy' not in sys.modules\n"
        "import numpy as np\n"
        "image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)\n"
        "images.write_image(image, Path('image.png'))\n"
        "print(images.write_thumbnail(image, Path('image.webp')), Path('image.webp').exists())\n"
        "try: images.write_image(image, Path('image.jpg'))\n"
        "except ModuleNotFoundError as error: print(error)\n",
        without=("PIL",),
    )
    assert output == "False False\nlog_image of an array to .jpg needs pillow: pip install pillow"
    with Image.open(fresh_python.folder / "image.png") as image:
        np.testing.assert_array_equal(np.asarray(image), np.arange(12).reshape(2, 2, 3))


def test_png_of_an_array_does_not_import_pillow(fresh_python: FreshPython) -> None:
    output = fresh_python(
        "import numpy as np\n"
        "from trackwire.media.images import write_image\n"
        "write_image(np.zeros((2, 2)), Path('image.png'))\n"
        "print('PIL' in sys.modules)\n"
    )
    assert output == "False"


@pytest.mark.parametrize(
    ("image", "size", "mode"),
    [
        (np.zeros((600, 300, 3)), (128, 256), "RGB"),
        (np.zeros((10, 20), np.uint8), (20, 10), "RGB"),
        (np.full((300, 900, 4), 9, np.uint8), (256, 85), "RGBA"),
        (Image.new("P", (512, 512)), (256, 256), "RGB"),
        (Image.new("LA", (30, 30)), (30, 30), "RGBA"),
        (Image.new("F", (30, 30)), (30, 30), "RGB"),
    ],
)
def test_thumbnail_is_a_webp_of_at_most_256_pixels_a_side(
    tmp_path: Path, image: object, size: tuple[int, int], mode: str
) -> None:
    assert write_thumbnail(image, tmp_path / "image.webp")
    with Image.open(tmp_path / "image.webp") as thumbnail:
        assert (thumbnail.format, thumbnail.size, thumbnail.mode) == ("WEBP", size, mode)
    if isinstance(image, Image.Image):
        assert max(image.size) in (30, 512)


def test_names_of_a_series_are_those_of_mlflow() -> None:
    paths = series_paths("val/dogs 1", 17, 1795264678000)
    stem = r"images/val~dogs 1\+step\+17\+timestamp\+1795264678000\+[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    assert re.fullmatch(stem + r"\.png", paths.image)
    assert paths.thumbnail == paths.image.removesuffix(".png") + "+compressed.webp"
    assert series_paths("val/dogs 1", 17, 1795264678000) != paths
    assert "+step+3+timestamp+4+" in series_paths("a", np.int64(3), np.uint64(4)).image


@given(st.from_regex(r"[a-zA-Z0-9_\-./ ]{1,120}", fullmatch=True), st.integers(-(2**63), 2**63 - 1))
def test_server_takes_the_names_of_any_series(key: str, step: int) -> None:
    paths = series_paths(key, step, 1795264678000)
    assert check_artifact_path("path", paths.image) == paths.image
    assert check_artifact_path("path", paths.thumbnail) == paths.thumbnail


@pytest.mark.parametrize(
    ("key", "step", "error", "words"),
    [
        ("", 0, ValueError, "^key: ''"),
        ("a+b", 0, ValueError, r"^key: 'a\+b': may only have .*, not '\+'$"),
        ("a\n", 0, ValueError, r"^key: 'a\\n'"),
        ("k" * 300, 0, ValueError, "has 300 characters, at most 1.. fit"),
        (5, 0, TypeError, "^key: 5: must be a str, not int"),
        ("a", 1.5, TypeError, "^step: 1.5: must be an int, not float"),
    ],
)
def test_bad_key_or_step_of_a_series_is_named(key: str, step: int, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        series_paths(key, step, 1795264678000)


def test_encoder_takes_a_single_pixel() -> None:
    assert encode_png(np.zeros((1, 1, 1), np.uint8)).endswith(b"IEND\xaeB`\x82")
