"""Figures of matplotlib and plotly as files."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trackwire.media.packages import is_instance
from trackwire.media.plain import type_name

PLOTLY_IMAGE_SUFFIXES = (".png", ".jpeg", ".webp", ".svg", ".pdf")


def write_figure(figure: object, path: Path, save_kwargs: Mapping[str, object] | None = None) -> None:
    """Writes what the suffix says; `save_kwargs` go to the figure's own method: savefig, write_html or write_image."""
    kwargs = dict(save_kwargs or {})
    if is_instance(figure, "matplotlib.figure", "Figure"):
        _write_matplotlib(figure, path, kwargs)
    elif is_instance(figure, "plotly.basedatatypes", "BaseFigure"):
        _write_plotly(figure, path, kwargs)
    else:
        raise TypeError(
            f"figure: must be a matplotlib.figure.Figure or a plotly.graph_objects.Figure, not {type_name(figure)}"
        )


def _write_matplotlib(figure: Any, path: Path, kwargs: dict[str, object]) -> None:
    supported = figure.canvas.get_supported_filetypes()
    if kwargs.get("format") is None:
        # Left to itself, savefig would write to another path where there is no suffix.
        kwargs["format"] = path.suffix[1:].lower()
    if kwargs["format"] not in supported:
        allowed = ", ".join(f".{name}" for name in sorted(supported))
        raise ValueError(f"artifact_file: {path.name!r}: matplotlib writes {allowed}")
    figure.savefig(path, **kwargs)


def _write_plotly(figure: Any, path: Path, kwargs: dict[str, object]) -> None:
    suffix = path.suffix.lower()
    if suffix == ".html":
        # Plotly's own script is four megabytes: it is named, not copied into every file.
        figure.write_html(path, **{"include_plotlyjs": "cdn", "auto_open": False, **kwargs})
    elif suffix in PLOTLY_IMAGE_SUFFIXES:
        if importlib.util.find_spec("kaleido") is None:
            raise ModuleNotFoundError(
                f"log_figure of a plotly figure to {suffix} needs kaleido: pip install kaleido (.html needs nothing)",
                name="kaleido",
            )
        figure.write_image(path, **kwargs)
    else:
        allowed = ", ".join((".html", *PLOTLY_IMAGE_SUFFIXES))
        raise ValueError(f"artifact_file: {path.name!r}: plotly writes {allowed}")
