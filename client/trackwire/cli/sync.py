"""`trackwire sync`: takes what was logged without a server to one."""

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from trackwire.address import DEFAULT_ADDRESS, parse_address, server_address
from trackwire.cli.output import counted, note, print_json, print_table, time_text
from trackwire.cli.session import Session, json_option, yes_option

if TYPE_CHECKING:
    from trackwire.cli.sync_report import SyncReport
    from trackwire.shipper.overview import SpoolOverview


class SyncOptions(TypedDict):
    """How a spool is delivered."""

    to: str | None
    from_address: str | None
    watch: bool
    retry_rejected: bool
    timeout_seconds: float | None


def _check_seconds(_context: click.Context, _parameter: click.Parameter, seconds: float | None) -> float | None:
    # Not `seconds < 0`, which "nan" would pass.
    if seconds is not None and not 0 <= seconds < math.inf:
        raise click.BadParameter(f"{seconds}: must be a number of seconds, 0 or more")
    return seconds


@click.command()
@click.argument("spool", required=False, type=click.Path(path_type=Path))
@click.option("--to", metavar="HOST:PORT", help="Where runs go that name no server; the usual server by default.")
@click.option(
    "--from",
    "from_address",
    metavar="HOST:PORT",
    help="Take to --to also the runs that name this server and of which it has nothing yet.",
)
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C, with all that comes.")
@click.option(
    "--timeout-seconds",
    type=float,
    metavar="N",
    callback=_check_seconds,
    help="Give up after so long, also on servers that are away; without it those are not waited for.",
)
@click.option("--rejected", is_flag=True, help="Only list what servers have refused, and why.")
@click.option("--discard-rejected", is_flag=True, help="Remove what servers have refused for good. Asks first.")
@click.option("--retry-rejected", is_flag=True, help="Deliver also what was refused, once its cause is put right.")
@yes_option
@json_option
@click.pass_context
def sync(
    context: click.Context,
    /,
    spool: Path | None,
    rejected: bool,
    discard_rejected: bool,
    yes: bool,
    as_json: bool,
    **options: Unpack[SyncOptions],
) -> None:
    """Deliver what trainings have logged without a server.

    It lies in the folder SPOOL; by default in the one where trainings begun here log, ./.trackwire/spool.

    Runs that name no server go to --to; those that name one go there and nowhere else, but for --from. What is
    delivered is removed from the spool: it can't be synced to a second server. What a server refuses stays until
    --retry-rejected or --discard-rejected.

    Exit status 0 if all is delivered, 1 if something waits, was refused or can't be read.
    """
    if rejected or discard_rejected:
        if (rejected and discard_rejected) or any(value not in (None, False) for value in options.values()):
            raise click.UsageError("give one of --rejected, --discard-rejected and what delivers")
    elif options["watch"] and options["timeout_seconds"] is not None:
        raise click.UsageError("--timeout-seconds: is not for --watch, which has no end")
    if options["from_address"] is not None and options["to"] is None:
        raise click.UsageError("--from: needs --to, the server that its runs go to")
    folder = _spool(spool)
    if rejected:
        _list_rejected(folder, as_json=as_json)
    elif discard_rejected:
        _discard_rejected(folder, yes=yes)
    else:
        context.exit(_deliver(context.obj, folder, options, as_json=as_json))


def _deliver(session: Session, folder: Path, options: SyncOptions, *, as_json: bool) -> int:
    from trackwire.cli.sync_report import SyncReport
    from trackwire.shipper.interruption import Interruption
    from trackwire.shipper.overview import SpoolOverview
    from trackwire.shipper.syncing import Listener, Patience, SpoolSync

    address, is_asked_for = _offline_address(session, options["to"])
    old_address = options["from_address"]
    all_moved = old_address is None or _redirect(folder, old_address, address)
    if options["retry_rejected"]:
        _retry_rejected(folder)
    overview = SpoolOverview(folder, address)
    report = SyncReport(is_silent=as_json)
    stopping = Interruption()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopping.set())
    patience = Patience(options["watch"], options["timeout_seconds"])
    syncing = SpoolSync(overview, Listener(report.show, report.say), patience, stopping)
    try:
        syncing.run(must_be_ours=is_asked_for, call_seconds=session.timeout_seconds)
    finally:
        report.clear()
    status = _tell(report, overview, as_json=as_json)
    return status if all_moved else 1


def _redirect(folder: Path, old: str, new: str) -> bool:
    """Whether all runs that name the old server go to the new one now."""
    from trackwire.errors import InvalidArgumentError
    from trackwire.shipper.redirecting import redirect

    names = {old}
    # A name that is none may be what is to be put right.
    with suppress(InvalidArgumentError):
        names.add(parse_address(old, field="--from"))
    with _holding(folder):
        done = redirect(folder, names, new)
    if not done.moved and not done.kept:
        note(f"no run in {folder} names {old}")
    for run_id in sorted(done.kept):
        note(f"run {run_id} stays with {old}, which has a part of it")
    return not done.kept


def _tell(report: "SyncReport", overview: "SpoolOverview", *, as_json: bool) -> int:
    from trackwire.cli.sync_report import document, is_all_delivered

    if as_json:
        print_json(document(overview))
    else:
        report.end(overview)
    return 0 if is_all_delivered(overview) else 1


def _spool(named: Path | None) -> Path:
    """The spool's folder. Raises ClickException where there is none."""
    from trackwire.fluent.settings import destination

    folder = destination(None, "offline").spool if named is None else named.expanduser().absolute()
    if (folder / "streams").is_dir() or (folder.is_dir() and not any(folder.iterdir())):
        return folder
    if named is None:
        raise click.ClickException(
            f"there is no spool at {folder}: nothing was logged here without a server;"
            " name another folder as SPOOL or by TRACKWIRE_SPOOL_DIR"
        )
    for below in (folder / "spool", folder / ".trackwire" / "spool"):
        if (below / "streams").is_dir():
            raise click.BadParameter(f"'{named}': is no spool; did you mean {below}?", param_hint="SPOOL")
    raise click.BadParameter(f"'{named}': is no spool: there is no folder {folder / 'streams'}", param_hint="SPOOL")


def _offline_address(session: Session, to: str | None) -> tuple[str, bool]:
    """Where runs go that name no server, and whether they must go there."""
    from trackwire.fluent.settings import destination

    if to is not None:
        return parse_address(to, field="--to"), True
    if session.address and not destination(session.address, "online").address:
        # The variable of the server may also name a folder, for trainings.
        return DEFAULT_ADDRESS, False
    return server_address(session.address), False


def _list_rejected(folder: Path, *, as_json: bool) -> None:
    from trackwire.cli.sync_report import damage_text, rejected_documents
    from trackwire.shipper.overview import SpoolOverview

    overview = SpoolOverview(folder)
    overview.look()
    if as_json:
        for each in rejected_documents(overview):
            print_json(each)
        return
    rows = [
        (place.run_id, each.sequence, each.kind, each.points, time_text(each.refused_ms), each.address, each.message)
        for place, each in overview.rejections()
    ]
    if rows:
        print_table(("RUN ID", "RECORD", "KIND", "POINTS", "REFUSED", "BY", "WHY"), rows)
    for place, damage in overview.damages():
        click.echo(f"{place.run_id}  {damage_text(damage)}")
    if not rows and not any(overview.damages()):
        note(f"nothing in {folder} was refused")


def _discard_rejected(folder: Path, *, yes: bool) -> None:
    from trackwire.shipper.discarding import discard, may_discard
    from trackwire.shipper.overview import SpoolOverview

    overview = SpoolOverview(folder)
    overview.look()
    kept = [place for place, _ in [*overview.rejections(), *overview.damages()]]
    if not kept:
        note(f"nothing in {folder} was refused")
        return
    places = {place.folder: place for place in kept if may_discard(place)}
    records = counted(sum(place.folder in places for place in kept), "refused record")
    _tell_undelivered({place.run_id for place in kept if place.folder not in places})
    if not places:
        return
    if not yes:
        runs = counted(len({place.run_id for place in places.values()}), "run")
        click.confirm(f"Remove {records} of {runs} for good?", abort=True)
    with _holding(folder):
        for place in places.values():
            discard(place)
    click.echo(f"{records} removed")


def _retry_rejected(folder: Path) -> None:
    from trackwire.shipper.discarding import may_discard
    from trackwire.shipper.rejected import read_rejections
    from trackwire.shipper.retrying import retry_rejected
    from trackwire.spool.places import open_streams

    with _holding(folder):
        places = [place for place in open_streams(folder) if any(read_rejections(place))]
        records = sum(retry_rejected(folder, place) for place in places if may_discard(place))
    if records:
        note(f"{counted(records, 'refused record')} to be sent again")
    _tell_undelivered({place.run_id for place in places if place.segments()})
    if not places:
        note(f"nothing in {folder} was refused")


def _tell_undelivered(run_ids: set[str]) -> None:
    for run_id in sorted(run_ids):
        note(f"what was refused of run {run_id} stays until all else of it is delivered")


@contextmanager
def _holding(folder: Path) -> Iterator[None]:
    """Keeps shippers away from a spool. Raises ClickException where one has it that can't be asked to go."""
    from trackwire.shipper.asking import take_over
    from trackwire.shipper.lock import SpoolLock

    lock = SpoolLock(folder)
    holder = take_over(lock, folder)
    if holder is not None:
        raise click.ClickException(f"{holder} delivers {folder} now: try again when it has ended; nothing was changed")
    try:
        yield
    finally:
        lock.release()
