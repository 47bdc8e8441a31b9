"""What mlflow's tracking store has and this server does not keep, told by its name: traces, scorers, reviews, …"""

import functools
from collections.abc import Callable, Sequence
from inspect import iscoroutinefunction
from types import FunctionType
from typing import NoReturn, ParamSpec, TypeVar

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import NOT_IMPLEMENTED
from mlflow.store.tracking.abstract_store import AbstractStore

P = ParamSpec("P")
ResultT = TypeVar("ResultT")
StoreT = TypeVar("StoreT", bound=type[AbstractStore])


class NotKeptError(MlflowException, NotImplementedError):
    """Also what mlflow's own stores raise, as its code looks for that."""

    def __init__(self, method: str) -> None:
        super().__init__(f"{method}: a Trackwire server does not keep this", NOT_IMPLEMENTED)


class NotKept:
    """Methods whose bodies are empty in mlflow's AbstractStore."""

    def link_traces_to_run(self, trace_ids: Sequence[str], run_id: str) -> NoReturn:
        """Raises NotKeptError: there are no traces."""
        raise NotKeptError("link_traces_to_run")


def names_what_is_not_kept(store: StoreT) -> StoreT:
    """Has what a store leaves to AbstractStore say by its name that it is not there."""
    for name, member in vars(AbstractStore).items():
        is_left = isinstance(member, FunctionType) and getattr(store, name) is member
        if is_left and not name.startswith("_") and not iscoroutinefunction(member):
            setattr(store, name, _named(member))
    return store


def _named(method: Callable[P, ResultT]) -> Callable[P, ResultT]:
    @functools.wraps(method)
    def call(*arguments: P.args, **options: P.kwargs) -> ResultT:
        try:
            return method(*arguments, **options)
        except NotKeptError:
            # By the name of what it asked for in turn.
            raise
        except NotImplementedError:
            raise NotKeptError(method.__name__) from None

    return call
