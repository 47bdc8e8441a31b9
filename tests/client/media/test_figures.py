"""Figures of matplotlib and plotly, written by their own methods."""

import math
from pathlib import Path

import plotly.graph_objects as go
import pytest
from matplotlib.figure import Figure
from PIL import Image
from tests.client.media.conftest import FreshPython

from trackwire.media.figures import write_figure


@pytest.fixture
def figure() -> Figure:
    figure = Figure(figsize=(4, 3), dpi=50)
    figure.add_subplot().plot([1, 2, 3], [math.sin(x) for x in (1, 2, 3)])
    return figure


@pytest.fixture
def plotly_figure() -> go.Figure:
    return go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.PDF", b"%PDF"), ("a.svg", b"<?xml"), ("a.jpeg", b"\xff\xd8")]
)
def test_suffix_chooses_the_format(tmp_path: Path, figure: Figure, name: str, start: bytes) -> None:
    write_figure(figure, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_save_kwargs_reach_savefig(tmp_path: Path, figure: Figure) -> None:
    given = {"dpi": 100, "format": "png"}
    write_figure(figure, tmp_path / "plot", given)
    with Image.open(tmp_path / "plot") as image:
        assert image.size == (400, 300)
    assert given == {"dpi": 100, "format": "png"}


@pytest.mark.parametrize("name", ["a.xyz", "a"])
def test_suffix_that_matplotlib_does_not_write_is_refused(tmp_path: Path, figure: Figure, name: str) -> None:
    with pytest.raises(ValueError, match=rf"^artifact_file: '{name}': matplotlib writes .*\.pdf, .*\.png"):
        write_figure(figure, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_plotly_figure_becomes_a_page(tmp_path: Path, plotly_figure: go.Figure) -> None:
    write_figure(plotly_figure, tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text()
    assert "<html>" in page
    assert "cdn" in page
    assert len(page) < 100_000


def test_save_kwargs_reach_write_html(tmp_path: Path, plotly_figure: go.Figure) -> None:
    write_figure(plotly_figure, tmp_path / "a.html", {"include_plotlyjs": False, "full_html": False})
    assert (tmp_path / "a.html").read_text().lstrip().startswith("<div")


def test_image_of_a_plotly_figure_names_what_it_needs(fresh_python: FreshPython) -> None:
    output = fresh_python(
        "import plotly.graph_objects\n"
        "from trackwire.media.figures import write_figure\n"
        "try: write_figure(plotly.graph_objects.Figure(), Path('a.png'))\n"
        "except ModuleNotFoundError as error: print(error)\n",
        without=("kaleido",),
    )
    assert output.startswith("log_figure of a plotly figure to .png needs kaleido: pip install kaleido")


def test_suffix_that_plotly_does_not_write_is_refused(tmp_path: Path, plotly_figure: go.Figure) -> None:
    with pytest.raises(ValueError, match=r"^artifact_file: 'a\.txt': plotly writes \.html, \.png"):
        write_figure(plotly_figure, tmp_path / "a.txt")


def test_what_is_no_figure_is_named(tmp_path: Path, figure: Figure) -> None:
    with pytest.raises(TypeError, match=r"^figure: must be a matplotlib.*not matplotlib\.axes\._axes\.Axes$"):
        write_figure(figure.axes[0], tmp_path / "a.png")


def test_refusing_a_figure_imports_no_package(fresh_python: FreshPython) -> None:
    output = fresh_python(
        "from trackwire.media.figures import write_figure\n"
        "try: write_figure(5, Path('a.png'))\n"
        "except TypeError as error: print(error)\n"
        "print(sorted(sys.modules.keys() & {'matplotlib', 'plotly', 'numpy'}))\n"
    )
    assert output.splitlines() == [
        "figure: must be a matplotlib.figure.Figure or a plotly.graph_objects.Figure, not int",
        "[]",
    ]
