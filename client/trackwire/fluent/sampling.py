"""Whether runs sample their machine, and how often: by argument, by a call, by the environment, in this order."""

import logging

from trackwire.fluent.settings import checked_flag, checked_seconds, flag_of_environment, variable, variable_name

logger = logging.getLogger(__name__)

SAMPLING_INTERVAL_SECONDS = 10.0
# More often would be felt.
SAMPLING_INTERVAL_SECONDS_MIN = 0.1


class _Said:
    """What this process has said; None: nothing."""

    is_enabled: bool | None = None
    interval_seconds: float | None = None
    missing_is_told = False


_said = _Said()


def enable_system_metrics_logging() -> None:
    """Runs started from now on sample their machine, unless one says otherwise. Needs psutil."""
    _require_psutil("enable_system_metrics_logging")
    _said.is_enabled = True


def disable_system_metrics_logging() -> None:
    """Runs started from now on sample nothing, unless one says otherwise."""
    _said.is_enabled = False


def set_system_metrics_sampling_interval(interval: float | None) -> None:
    """Seconds between two samples of runs started from now on; None: the environment's, or 10."""
    _said.interval_seconds = None if interval is None else _checked_interval("interval", interval)


def sampling_interval(log_system_metrics: bool | None) -> float | None:
    """Seconds between two samples of a run that starts now; None where it samples nothing.

    Raises ModuleNotFoundError where code asks for what only psutil can tell; where the environment does, it is a
    warning.
    """
    said = checked_flag("log_system_metrics", log_system_metrics)
    if said is None:
        said = _said.is_enabled
    if said is None:
        said = flag_of_environment("ENABLE_SYSTEM_METRICS_LOGGING") and _has_psutil_or_tells()
    elif said:
        _require_psutil("log_system_metrics")
    return _interval() if said else None


def _interval() -> float:
    if _said.interval_seconds is not None:
        return _said.interval_seconds
    text = variable("SYSTEM_METRICS_SAMPLING_INTERVAL")
    return (
        _checked_interval(variable_name("SYSTEM_METRICS_SAMPLING_INTERVAL"), text)
        if text
        else SAMPLING_INTERVAL_SECONDS
    )


def _checked_interval(field: str, value: float | str) -> float:
    return checked_seconds(field, value, at_least=SAMPLING_INTERVAL_SECONDS_MIN)


def _require_psutil(who: str) -> None:
    if not _has_psutil():
        raise ModuleNotFoundError(f"{who} needs psutil: pip install 'trackwire[system]'", name="psutil")


def _has_psutil() -> bool:
    from importlib.util import find_spec

    # Without loading it: that is for the thread that samples.
    return find_spec("psutil") is not None


def _has_psutil_or_tells() -> bool:
    if _has_psutil():
        return True
    if not _said.missing_is_told:
        _said.missing_is_told = True
        logger.warning(
            "%s asks for system metrics, which need psutil, and are left out: pip install 'trackwire[system]'",
            variable_name("ENABLE_SYSTEM_METRICS_LOGGING"),
        )
    return False
