"""Models as MLflow logged them before they were things of their own: a list in a tag of their run."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trackwire_server.core.entities import RUN_ALONE, Selection
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument
from trackwire_server.core.runs import Runs
from trackwire_server.core.tag_lists import entries_in
from trackwire_server.mlflow_api.door import EMPTY, Answer, Rpc
from trackwire_server.mlflow_api.errors import missing
from trackwire_server.mlflow_api.reading import OfRun

HISTORY_TAG = "mlflow.log-model.history"
_REQUIRED = ("artifact_path", "flavors", "utc_time_created", "run_id")


class LogModel(OfRun):
    model_json: str = ""


class ModelHistoryDoor:
    """The list of a run's models, which only grows."""

    def __init__(self, runs: Runs):
        self._runs = runs
        # Between the reading of the list and its writing nobody else may add to it.
        self._adding = asyncio.Lock()

    def rpcs(self) -> Sequence[Rpc]:
        return (Rpc("POST", "2.0/mlflow/runs/log-model", LogModel, self.log_model),)

    async def log_model(self, request: LogModel) -> Answer:
        """Adds a model to its run's list."""
        model = _model_in(request.model_json)
        async with self._adding:
            selection = replace(RUN_ALONE, tags=Selection(frozenset({HISTORY_TAG})))
            run = await self._runs.get(request.run, selection)
            known = entries_in(run.tags.get(HISTORY_TAG, ""))
            if known is None:
                raise FailedPrecondition(
                    f"the tag {HISTORY_TAG} of run {run.run_id!r} is no list of models: delete it first",
                    metadata={"field": f"tags[{HISTORY_TAG}]", "run_id": run.run_id},
                )
            await self._runs.set_tags(run.run_id, {HISTORY_TAG: json.dumps([*known, model])})
        return EMPTY


def _model_in(model_json: str) -> Any:
    if not model_json:
        raise missing("model_json")
    try:
        model = json.loads(model_json)
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(
            "model_json", model_json, f"Malformed model info: is not a valid JSON: {error}"
        ) from error
    if not isinstance(model, dict):
        raise InvalidArgument("model_json", model_json, "must be a JSON object")
    absent = [field for field in _REQUIRED if field not in model]
    if absent:
        words = f"Model json is missing mandatory fields: {', '.join(absent)}"
        raise InvalidArgument("model_json", model_json, words)
    return model
