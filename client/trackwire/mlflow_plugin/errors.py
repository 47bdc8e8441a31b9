"""Our errors as mlflow's one exception: its error codes, the server's words."""

import functools
from collections.abc import Callable
from types import FunctionType
from typing import ParamSpec, TypeVar

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import ErrorCode

from trackwire.errors import TrackwireError

P = ParamSpec("P")
ResultT = TypeVar("ResultT")
StoreT = TypeVar("StoreT")

# Where mlflow's server answers with another code than what the error is by its kind.
_CODES_BY_REASON = {"ALIAS_NOT_FOUND": "INVALID_PARAMETER_VALUE"}


def raises_mlflow_errors(store: type[StoreT]) -> type[StoreT]:
    """Has all methods that a class defines itself raise MlflowException in place of our errors."""
    for name, member in list(vars(store).items()):
        if isinstance(member, FunctionType) and not name.startswith("__"):
            setattr(store, name, _translated(member))
    return store


def mlflow_error(error: TrackwireError) -> MlflowException:
    """The exception that mlflow's code expects."""
    code = _CODES_BY_REASON.get(error.reason, error.error_code)
    return MlflowException(_message(error), error_code=ErrorCode.Value(code))


def _translated(method: Callable[P, ResultT]) -> Callable[P, ResultT]:
    @functools.wraps(method)
    def call(*arguments: P.args, **options: P.kwargs) -> ResultT:
        try:
            return method(*arguments, **options)
        except TrackwireError as error:
            raise mlflow_error(error) from error

    return call


def _message(error: TrackwireError) -> str:
    said = error.metadata
    if error.reason != "PARAM_ALREADY_SET" or "run_id" not in said:
        return str(error)
    # The words that mlflow's server has for it of a run, which scripts look for.
    return (
        f"Changing param values is not allowed. Param with key='{said['key']}' was already logged with"
        f" value='{said['old_value']}' for run ID='{said['run_id']}'. Attempted logging new value '{said['value']}'."
    )
