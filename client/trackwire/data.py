"""Datasets, as `log_input` and `log_metric` name them: what was trained and measured on, and where it came from."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from trackwire.media.packages import import_optional, is_instance
from trackwire.media.plain import type_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays: TypeAlias = "NDArray[Any] | Mapping[str, NDArray[Any]]"

_DIGEST_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset by name and digest; the digest is that of the data itself, unless it was given."""

    name: str
    digest: str
    # "local" for a path, the scheme of a URI, or "unknown".
    source_type: str
    source: str
    # How much there is of it, as JSON.
    profile: str

    def to_dict(self) -> dict[str, str]:
        """The same by name."""
        return asdict(self)


def from_numpy(
    features: "Arrays",
    source: str | os.PathLike[str] | None = None,
    targets: "Arrays | None" = None,
    name: str | None = None,
    digest: str | None = None,
) -> Dataset:
    """The dataset of an array, or of several by name, and of its targets. All its bytes are read for the digest."""
    arrays = {**_named("features", features), **({} if targets is None else _named("targets", targets))}
    profile = {label: {"shape": list(array.shape), "size": array.size} for label, array in arrays.items()}
    return Dataset(name or "dataset", digest or _digest_of(arrays), *_source_of(source), json.dumps(profile))


# A DataFrame: pandas has no types of its own.
def from_pandas(
    df: Any,
    source: str | os.PathLike[str] | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> Dataset:
    """The dataset of a DataFrame. `targets` and `predictions` name columns, which must be there."""
    if not is_instance(df, "pandas", "DataFrame"):
        raise TypeError(f"df: must be a pandas.DataFrame, not {type_name(df)}")
    for field, column in (("targets", targets), ("predictions", predictions)):
        if column is not None and column not in df.columns:
            raise ValueError(
                f"{field}: {column!r}: must be a column of df, which has {', '.join(map(str, df.columns))}"
            )
    profile = {"num_rows": len(df), "num_elements": int(df.size)}
    return Dataset(name or "dataset", digest or _digest_of_frame(df), *_source_of(source), json.dumps(profile))


def _named(field: str, arrays: "Arrays") -> dict[str, "NDArray[Any]"]:
    named = (
        {f"{field}.{key}": array for key, array in arrays.items()} if isinstance(arrays, Mapping) else {field: arrays}
    )
    for label, array in named.items():
        if not is_instance(array, "numpy", "ndarray"):
            raise TypeError(f"{label}: must be a numpy.ndarray, not {type_name(array)}")
    return named


def _digest_of(arrays: "Mapping[str, NDArray[Any]]") -> str:
    sha256 = hashlib.sha256()
    for label, array in sorted(arrays.items()):
        sha256.update(f"{label} {array.dtype} {array.shape}\n".encode())
        # The bytes of an array of objects are addresses.
        sha256.update(repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes())
    return sha256.hexdigest()[:_DIGEST_CHARACTERS]


def _digest_of_frame(df: Any) -> str:
    pandas = import_optional("pandas", package="pandas", purpose="from_pandas")
    try:
        rows = pandas.util.hash_pandas_object(df)
    except TypeError:
        # Cells such as lists have no hash.
        rows = pandas.util.hash_pandas_object(df.astype(str))
    head = f"{list(map(str, df.columns))} {list(map(str, df.dtypes))}\n"
    return hashlib.sha256(head.encode() + rows.to_numpy().tobytes()).hexdigest()[:_DIGEST_CHARACTERS]


def _source_of(source: str | os.PathLike[str] | None) -> tuple[str, str]:
    if source is None:
        return "unknown", ""
    text = os.fspath(source)
    scheme, separator, _ = text.partition("://")
    return (scheme if separator and scheme != "file" else "local"), text
