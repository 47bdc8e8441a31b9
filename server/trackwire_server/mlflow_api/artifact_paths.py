"""Paths of artifacts as MLflow's clients write them, and as the server has them."""

import re
from urllib.parse import unquote

from trackwire_server.core.artifact_paths import path_fault
from trackwire_server.mlflow_api.errors import invalid_path

DECODINGS_MAX = 10
# "#" would end a URL, and what is absolute in MLflow's eyes need not begin with a slash.
_REFUSED = re.compile(r".*#|(?:[A-Za-z]|file):[/\\]", re.DOTALL | re.IGNORECASE)


def clean_path(path: str) -> str:
    """A path percent-decoded to the end, without parts that say nothing; empty for the folder itself.

    Raises MlflowError for one that could lead out of its folder.
    """
    decoded = _decoded(path)
    clean = "/".join(part for part in decoded.split("/") if part not in ("", "."))
    # What a "." stood before may be absolute without it.
    if decoded.startswith("/") or _REFUSED.match(decoded) or _REFUSED.match(clean):
        raise invalid_path()
    if clean and path_fault(clean):
        raise invalid_path()
    return clean


def clean_file_path(path: str) -> str:
    """The path of a file: it does not end as a folder's does."""
    clean = clean_path(path)
    if not clean or path.endswith(("/", "/.")):
        raise invalid_path()
    return clean


def _decoded(path: str) -> str:
    for _ in range(DECODINGS_MAX):
        if (again := unquote(path)) == path:
            return path
        path = again
    raise invalid_path()
