"""What every command shares: the client, made when the first call needs it, and options that several have."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypedDict, TypeVar

import click

if TYPE_CHECKING:
    from trackwire.client import Client
    from trackwire.v1.experiments_pb2 import Experiment

CallbackT = TypeVar("CallbackT", bound=Callable[..., object])

JSON_HELP = "Print JSON, of a list JSON Lines: an object a line. Enums are as in the contract: RUN_STATUS_FINISHED."
LIMIT = 100
LIMIT_MAX = 1_000_000_000


class ListOptions(TypedDict):
    """What commands that list or search take."""

    filter_string: str
    order_by: tuple[str, ...]
    limit: int
    as_json: bool


class EntryCount(click.IntRange):
    """How many entries: a whole number, or words that say what it may be."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = 0
        if not 1 <= number <= LIMIT_MAX:
            self.fail(f"{value!r}: must be a whole number, 1 to {LIMIT_MAX:,}", param, ctx)
        return number


class Session:
    """One invocation of the command line."""

    def __init__(self, address: str | None, timeout_seconds: float) -> None:
        self.address = address
        self.timeout_seconds = timeout_seconds
        self._client: Client | None = None

    @property
    def client(self) -> "Client":
        """The client; gRPC is loaded now, so that `trackwire --help` doesn't wait for it."""
        if self._client is None:
            from trackwire.client import Client

            self._client = Client(self.address, timeout_seconds=self.timeout_seconds)
        return self._client

    def experiment(self, named: str) -> "Experiment":
        """The experiment that is named by its id or, where none has that id, by its name."""
        from trackwire.errors import NotFoundError

        if named.isascii() and named.isdecimal():
            with suppress(NotFoundError):
                return self.client.get_experiment(named)
        try:
            return self.client.get_experiment_by_name(named)
        except NotFoundError:
            raise click.ClickException(f"no experiment has the id or the name {named!r}") from None

    def close(self) -> None:
        """Closes the client, if there is one."""
        if self._client is not None:
            self._client.close()


def json_option(callback: CallbackT) -> CallbackT:
    """`--json`: for programs."""
    option = click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
    return option(callback)


def limit_option(callback: CallbackT) -> CallbackT:
    """`--limit`: how many entries of a list are shown."""
    option = click.option(
        "--limit", type=EntryCount(1, LIMIT_MAX), default=LIMIT, show_default=True, help="Show at most so many."
    )
    return option(callback)


def view_option(callback: CallbackT) -> CallbackT:
    """`--view`: active ones, deleted ones or all."""
    option = click.option(
        "--view",
        type=click.Choice(["active_only", "deleted_only", "all"]),
        default="active_only",
        show_default=True,
        help="Which lifecycle stages are shown.",
    )
    return option(callback)


def filter_options(filter_example: str, order_example: str) -> Callable[[CallbackT], CallbackT]:
    """`--filter` and `--order-by`: the search language, with examples that what is listed understands."""
    ordered = click.option("--order-by", multiple=True, help=f"Such as '{order_example}'; may be repeated.")
    filtered = click.option("--filter", "filter_string", default="", help=f'Such as "{filter_example}".')
    return lambda callback: filtered(ordered(callback))


def yes_option(callback: CallbackT) -> CallbackT:
    """`--yes`: what can't be undone is not asked about."""
    return click.option("--yes", is_flag=True, help="Don't ask.")(callback)


def pairs(field: str, texts: tuple[str, ...]) -> dict[str, str]:
    """`key=value` arguments as a dict."""
    split = [text.partition("=") for text in texts]
    for text, (key, equals, _value) in zip(texts, split, strict=True):
        if not equals or not key:
            raise click.BadParameter(f"{text!r}: must be key=value", param_hint=field)
    return {key: value for key, _equals, value in split}
