"""`trackwire artifacts`."""

from pathlib import Path

import click

from trackwire.cli.output import note, print_message, print_table, size_text, take, time_text
from trackwire.cli.session import Session, json_option, limit_option, yes_option


@click.group()
def artifacts() -> None:
    """List, upload, download and delete a run's files."""


@artifacts.command("list")
@click.argument("run_id")
@click.argument("path", default="")
@limit_option
@json_option
@click.pass_obj
def list_artifacts(session: Session, run_id: str, path: str, limit: int, as_json: bool) -> None:
    """List a folder of a run; its root by default."""
    listed = take(session.client.list_artifacts(run_id, path, max_results=limit + 1), limit)
    if not listed:
        _tell_empty(session, run_id, path)
    if as_json:
        for artifact in listed:
            print_message(artifact)
        return
    rows = [
        (
            f"{artifact.path}/" if artifact.is_dir else artifact.path,
            "" if artifact.is_dir else size_text(artifact.size_bytes),
            time_text(artifact.modification_time_ms),
        )
        for artifact in listed
    ]
    print_table(("PATH", "SIZE", "WRITTEN"), rows)


@artifacts.command()
@click.argument("run_id")
@click.argument("local_path", type=click.Path(exists=True, path_type=Path))
@click.argument("artifact_path", required=False)
@json_option
@click.pass_obj
def upload(session: Session, run_id: str, local_path: Path, artifact_path: str | None, as_json: bool) -> None:
    """Upload a file (under its own name, where no ARTIFACT_PATH is given), or all files below a folder."""
    if local_path.is_dir():
        uploaded = session.client.upload_folder(run_id, local_path, artifact_path or "")
    else:
        uploaded = [session.client.upload_artifact(run_id, local_path, artifact_path)]
    for artifact in uploaded:
        if as_json:
            print_message(artifact)
        else:
            click.echo(f"{artifact.path}  {size_text(artifact.size_bytes)}")


@artifacts.command()
@click.argument("source", metavar="{RUN_ID PATH|URI}")
@click.argument("places", metavar="[LOCAL_PATH]", nargs=-1)
@click.pass_obj
def download(session: Session, source: str, places: tuple[str, ...]) -> None:
    """Download a file, or all files below a folder, to LOCAL_PATH; the current folder by default.

    PATH lies in a run; "/" is all that it has. A URI is of a registered model, models:/NAME@ALIAS or
    models:/NAME/VERSION, of a logged model, models:/m-ID, or of a run, runs:/RUN_ID; a path may follow each. A
    LOCAL_PATH that ends in "/" is a folder, made where it is not there.
    """
    from trackwire.queries.artifact_uris import ArtifactPlace, place_of_uri

    # How many arguments more say what is meant; the next one says where it goes.
    more = 0 if ":" in source else 1
    if len(places) - more not in (0, 1):
        raise click.UsageError("give RUN_ID and PATH, or a URI, and then a LOCAL_PATH at most")
    place = ArtifactPlace(places[0], "", source) if more else place_of_uri(session.client, source)
    click.echo(place.download(session.client, places[more] if len(places) > more else "."))


@artifacts.command()
@click.argument("run_id")
@click.argument("path")
@yes_option
@click.pass_obj
def delete(session: Session, run_id: str, path: str, yes: bool) -> None:
    """Delete a file, or a folder with all in it, for good."""
    if not yes:
        click.confirm(f"Delete {path!r} of run {run_id} for good?", abort=True)
    session.client.delete_artifact(run_id, path)
    click.echo(f"{path} is deleted")


def _tell_empty(session: Session, run_id: str, path: str) -> None:
    """Why a folder has nothing in it. Raises ClickException where nothing is there."""
    path = path.strip("/")
    if not path:
        note(f"run {run_id} has no artifacts")
        return
    # A file has nothing below it either.
    beside = session.client.list_artifacts(run_id, path.rpartition("/")[0])
    if any(artifact.path == path for artifact in beside):
        note(f"{path!r} of run {run_id} is a file, not a folder")
    else:
        raise click.ClickException(f"nothing lies at {path!r} of run {run_id}")
