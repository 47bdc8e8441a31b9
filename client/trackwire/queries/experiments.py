"""Experiments: to find them, to make, tag and delete them, and which one is meant where none is named."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trackwire.errors import AlreadyExistsError, NotFoundError
from trackwire.fluent.choices import chosen_experiment
from trackwire.fluent.settings import DEFAULT_EXPERIMENT_ID, ExperimentChoice, experiment_choice
from trackwire.queries.entities import Experiment
from trackwire.queries.named_values import ViewType
from trackwire.queries.server import client_for
from trackwire.queries.views import view_type_name

if TYPE_CHECKING:
    from trackwire.client import Client
    from trackwire.v1.experiments_pb2 import Experiment as ExperimentMessage


def get_experiment(experiment_id: str) -> Experiment:
    """The experiment with this id, also a deleted one; NotFoundError if there is none."""
    from trackwire.queries.convert import experiment_of

    return experiment_of(client_for("get_experiment").get_experiment(str(experiment_id)))


def get_experiment_by_name(name: str) -> Experiment | None:
    """The experiment of this name, also a deleted one; None if there is none.

    The one that `set_experiment` has named is made here, if no run has made it yet.
    """
    return find_experiment(client_for("get_experiment_by_name"), name)


def search_experiments(
    view_type: int | str = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[Experiment]:
    """Experiments that match a filter such as `name ILIKE 'vision%' AND tags.team = 'red'`, newest first."""
    from trackwire.queries.convert import experiment_of

    found = client_for("search_experiments").search_experiments(
        filter_string or "",
        order_by=order_by or (),
        view_type=view_type_name("view_type", view_type),
        max_results=max_results,
    )
    return [experiment_of(message) for message in found]


def create_experiment(name: str, artifact_location: str | None = None, tags: Mapping[str, object] | None = None) -> str:
    """Creates an experiment; its id. AlreadyExistsError if the name is taken, also by a deleted one."""
    made = client_for("create_experiment").create_experiment(
        name, artifact_location=artifact_location or "", tags=_texts(tags or {})
    )
    return made.experiment_id


def delete_experiment(experiment_id: str) -> None:
    """Marks an active experiment and all its runs as deleted."""
    client_for("delete_experiment").delete_experiment(str(experiment_id))


def restore_experiment(experiment_id: str) -> None:
    """Restores a deleted experiment and all its runs."""
    client_for("restore_experiment").restore_experiment(str(experiment_id))


def delete_experiment_tag(key: str) -> None:
    """Deletes one tag of the experiment that runs are started in; NotFoundError if it has no such tag."""
    client = client_for("delete_experiment_tag")
    client.delete_experiment_tag(_chosen_and_made(client), key)


def set_experiment_tag(key: str, value: object) -> None:
    """Sets one tag, as `str()` gives it, of the experiment that runs are started in."""
    client = client_for("set_experiment_tag")
    client.set_experiment_tags(_chosen_and_made(client), _texts({key: value}))


def set_experiment_tags(tags: Mapping[str, object]) -> None:
    """Sets tags, each as `str()` gives it, of the experiment that runs are started in."""
    client = client_for("set_experiment_tags")
    if tags:
        client.set_experiment_tags(_chosen_and_made(client), _texts(tags))


def find_experiment(client: "Client", name: str) -> Experiment | None:
    """As `get_experiment_by_name`, by this client."""
    from trackwire.queries.convert import experiment_of

    found = _ensured(client, name) if name == _set_by_name() else _found_by_name(client, name)
    return None if found is None else experiment_of(found)


def experiment_of_choice(choice: ExperimentChoice) -> Experiment:
    """The experiment that was chosen; by name it is made if there is none."""
    from trackwire.queries.convert import experiment_of

    client = client_for("set_experiment")
    if choice.name:
        return experiment_of(_ensured(client, choice.name))
    return experiment_of(client.get_experiment(choice.experiment_id or DEFAULT_EXPERIMENT_ID))


def chosen_experiment_id(client: "Client") -> str | None:
    """The experiment that runs are started in, for a search of it; None where it is not made yet."""
    choice = _choice()
    if not choice.name:
        return choice.experiment_id or DEFAULT_EXPERIMENT_ID
    found = _found_by_name(client, choice.name)
    return None if found is None else found.experiment_id


def experiment_ids_by_name(client: "Client", names: Sequence[str]) -> dict[str, str | None]:
    """The id of each of these experiments; None of one that is not there."""
    found = {name: _found_by_name(client, name) for name in names}
    return {name: None if message is None else message.experiment_id for name, message in found.items()}


def _choice() -> ExperimentChoice:
    return experiment_choice(None, chosen_experiment())


def _set_by_name() -> str:
    chosen = chosen_experiment()
    return "" if chosen is None else chosen.name


def _chosen_and_made(client: "Client") -> str:
    choice = _choice()
    if not choice.name:
        return choice.experiment_id or DEFAULT_EXPERIMENT_ID
    return _ensured(client, choice.name).experiment_id


def _found_by_name(client: "Client", name: str) -> "ExperimentMessage | None":
    try:
        return client.get_experiment_by_name(name)
    except NotFoundError:
        return None


def _ensured(client: "Client", name: str) -> "ExperimentMessage":
    found = _found_by_name(client, name)
    if found is not None:
        return found
    try:
        return client.create_experiment(name)
    except AlreadyExistsError:
        # Made by a run or by another process just now.
        return client.get_experiment_by_name(name)


def _texts(tags: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in tags.items()}
