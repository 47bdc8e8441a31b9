"""Arrays, tensors and their scalars as plain Python values."""

from typing import Any


def without_arrays(value: object) -> object:
    """The lists, numbers and strings of an array, a tensor or a scalar of one; anything else as it is."""
    if type(value).__module__ == "numpy":
        return _of_numpy(value)
    to_list = getattr(value, "tolist", None)
    return to_list() if callable(to_list) else value


def _of_numpy(value: Any) -> object:
    # Finer than microseconds, tolist() would give bare integers.
    if value.dtype.kind == "M":
        value = value.astype("datetime64[us]")
    elif value.dtype.kind == "m":
        value = value.astype("timedelta64[us]")
    return value.tolist()


def type_name(value: object) -> str:
    """As an error shows it: "list", "torch.Tensor"."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
