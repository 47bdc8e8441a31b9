"""`trackwire gc`: removes for good what was deleted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from trackwire.cli.output import counted, note, print_message, size_text
from trackwire.cli.session import Session, json_option, yes_option

if TYPE_CHECKING:
    from trackwire.v1.admin_pb2 import CollectGarbageResponse

# An id has up to 256 characters, a filter 16,384.
RUNS_PER_SEARCH = 60
MILLISECONDS_PER_DAY = 24 * 3_600 * 1_000


class GarbageOptions(TypedDict):
    """Which garbage."""

    older_than_days: float
    run_ids: tuple[str, ...]
    experiment_ids: tuple[str, ...]
    dry_run: bool


@click.command()
@click.option("--older-than-days", type=click.FloatRange(min=0), default=0, help="Only what was deleted so long ago.")
@click.option("--run-id", "run_ids", multiple=True, help="Only this run; may be repeated.")
@click.option("--experiment-id", "experiment_ids", multiple=True, help="Only this experiment; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@yes_option
@json_option
@click.pass_obj
def gc(session: Session, /, yes: bool, as_json: bool, **options: Unpack[GarbageOptions]) -> None:
    """Remove deleted runs, experiments and logged models for good.

    With them go their metrics and artifacts. Asks first.
    """
    only_tell = options["dry_run"]
    if only_tell or not yes:
        would = _collect(session, options, dry_run=True)
        _tell(session, would, "would be removed", as_json=as_json and only_tell, err=as_json)
        if only_tell or _is_empty(would):
            return
        click.confirm("Remove all this for good?", abort=True, err=as_json)
    _tell(session, _collect(session, options, dry_run=False), "removed", as_json=as_json)


def _collect(session: Session, options: GarbageOptions, *, dry_run: bool) -> "CollectGarbageResponse":
    return session.client.collect_garbage(
        older_than_ms=int(options["older_than_days"] * MILLISECONDS_PER_DAY),
        run_ids=options["run_ids"],
        experiment_ids=options["experiment_ids"],
        dry_run=dry_run,
    )


def _versions_from(session: Session, run_ids: Sequence[str]) -> dict[str, str]:
    """What to say of runs that registered models came from."""
    versions: dict[str, list[str]] = {}
    for start in range(0, len(run_ids), RUNS_PER_SEARCH):
        quoted = ", ".join(f"'{run_id}'" for run_id in run_ids[start : start + RUNS_PER_SEARCH])
        for version in session.client.search_model_versions(
            f"run_id IN ({quoted})", order_by=("name", "version_number")
        ):
            aliases = f" ({', '.join(version.aliases)})" if version.aliases else ""
            versions.setdefault(version.run_id, []).append(f"version {version.version} of {version.name!r}{aliases}")
    return {run_id: f"{', '.join(each)} came from it" for run_id, each in versions.items()}


def _is_empty(garbage: "CollectGarbageResponse") -> bool:
    removed = (garbage.run_ids, garbage.experiment_ids, garbage.model_ids, garbage.uploads, garbage.artifact_bytes)
    return not any(removed)


def _tell(session: Session, garbage: "CollectGarbageResponse", verb: str, *, as_json: bool, err: bool = False) -> None:
    versions = _versions_from(session, garbage.run_ids)
    if as_json:
        for run_id, text in versions.items():
            note(f"run {run_id}: {text}")
        print_message(garbage)
        return
    for run_id in garbage.run_ids:
        click.echo(f"run {run_id}: {versions[run_id]}" if run_id in versions else f"run {run_id}", err=err)
    for experiment_id in garbage.experiment_ids:
        click.echo(f"experiment {experiment_id}", err=err)
    for model_id in garbage.model_ids:
        click.echo(f"logged model {model_id}", err=err)
    for uri in garbage.artifact_uris_left:
        click.echo(f"left alone, as the server doesn't reach it: {uri}", err=err)
    for uri in garbage.orphaned_uploads:
        click.echo(f"left by an upload: {uri}", err=err)
    removed = (
        counted(len(garbage.run_ids), "run"),
        counted(len(garbage.experiment_ids), "experiment"),
        counted(len(garbage.model_ids), "logged model"),
        counted(garbage.uploads, "unfinished upload"),
        f"{size_text(garbage.artifact_bytes)} of artifacts",
    )
    click.echo(f"{', '.join(removed)} {verb}", err=err)
