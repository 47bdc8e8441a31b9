"""`trackwire models`: the model registry."""

from typing import TYPE_CHECKING, Unpack, cast

import click

from trackwire.cli.output import (
    name_text,
    print_entries,
    print_fields,
    print_message,
    print_table,
    take,
    time_text,
)
from trackwire.cli.session import ListOptions, Session, filter_options, json_option, limit_option, pairs, yes_option

if TYPE_CHECKING:
    from trackwire.client.model_registry import ModelStageName
    from trackwire.v1.model_registry_pb2 import ModelVersion

STAGES = ("None", "Staging", "Production", "Archived")


@click.group()
def models() -> None:
    """List and change registered models and their versions."""


@models.command("list")
@filter_options("name LIKE 'digits%'", "last_updated_timestamp DESC")
@limit_option
@json_option
@click.pass_obj
def list_models(session: Session, /, **options: Unpack[ListOptions]) -> None:
    """List registered models, by name."""
    limit = options["limit"]
    found = session.client.search_registered_models(
        options["filter_string"], order_by=options["order_by"], max_results=limit + 1
    )
    listed = take(found, limit)
    if options["as_json"]:
        for model in listed:
            print_message(model)
        return
    rows = [
        (
            name_text(model.name),
            max((version.version for version in model.latest_versions), default=""),
            ", ".join(f"{alias}={version}" for alias, version in sorted(model.aliases.items())),
            time_text(model.last_update_time_ms),
        )
        for model in listed
    ]
    print_table(("NAME", "LATEST", "ALIASES", "LAST CHANGED"), rows)


@models.command()
@click.argument("name")
@click.option("--description", default="")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A first tag; may be repeated.")
@click.pass_obj
def create(session: Session, name: str, description: str, tags: tuple[str, ...]) -> None:
    """Register a name."""
    session.client.create_registered_model(name, description=description, tags=pairs("--tag", tags))
    click.echo(f"model {name!r} is registered")


@models.command()
@click.argument("name")
@json_option
@click.pass_obj
def get(session: Session, name: str, as_json: bool) -> None:
    """Show a registered model."""
    model = session.client.get_registered_model(name)
    if as_json:
        print_message(model)
        return
    print_fields(
        {
            "name": model.name,
            "description": model.description,
            "created": time_text(model.creation_time_ms),
            "last changed": time_text(model.last_update_time_ms),
        }
    )
    print_entries("aliases", model.aliases)
    print_entries("tags", model.tags)
    if model.latest_versions:
        click.echo("\nlatest versions")
        _print_versions(list(model.latest_versions))


@models.command()
@click.argument("name")
@filter_options("current_stage = 'Production'", "creation_timestamp DESC")
@limit_option
@json_option
@click.pass_obj
def versions(session: Session, /, name: str, **options: Unpack[ListOptions]) -> None:
    """List a registered model's versions, newest first."""
    limit, narrower = options["limit"], options["filter_string"]
    quoted = name.replace("'", "''")
    session.client.get_registered_model(name)
    found = session.client.search_model_versions(
        f"({narrower}) AND name = '{quoted}'" if narrower.strip() else f"name = '{quoted}'",
        order_by=options["order_by"] or "version_number DESC",
        max_results=limit + 1,
    )
    listed = take(found, limit)
    if options["as_json"]:
        for version in listed:
            print_message(version)
        return
    _print_versions(listed)


@models.command("create-version")
@click.argument("name")
@click.argument("source")
@click.option("--run-id", default="", help="Lineage: the run that made it.")
@click.option("--description", default="")
@json_option
@click.pass_obj
def create_version(session: Session, name: str, source: str, run_id: str, description: str, as_json: bool) -> None:
    """Create the next version, from SOURCE: a URI, or runs:/<run_id>/<path>, and print its number."""
    version = session.client.create_model_version(name, source, run_id=run_id, description=description)
    if as_json:
        print_message(version)
    else:
        click.echo(f"{name} version {version.version}")


@models.command()
@click.argument("name")
@click.argument("alias_name", metavar="ALIAS")
@click.argument("version", type=int, required=False)
@click.option("--delete", "is_deleted", is_flag=True, help="Delete the alias.")
@click.pass_obj
def alias(session: Session, name: str, alias_name: str, version: int | None, is_deleted: bool) -> None:
    """Point ALIAS at VERSION, or delete it."""
    if is_deleted == (version is not None):
        raise click.UsageError("give either VERSION or --delete")
    if version is None:
        session.client.delete_registered_model_alias(name, alias_name)
        click.echo(f"{name}@{alias_name} is deleted")
    else:
        session.client.set_registered_model_alias(name, alias_name, version)
        click.echo(f"{name}@{alias_name} is version {version}")


@models.command()
@click.argument("name")
@click.argument("version", type=int)
@click.argument("stage_name", metavar="STAGE", type=click.Choice(STAGES, case_sensitive=False))
@click.option("--archive-existing", is_flag=True, help="Move all other versions in that stage to Archived.")
@click.pass_obj
def stage(session: Session, name: str, version: int, stage_name: str, archive_existing: bool) -> None:
    """Move a version to a stage: None, Staging, Production or Archived."""
    session.client.transition_model_version_stage(
        name, version, stage=cast("ModelStageName", stage_name), archive_existing_versions=archive_existing
    )
    click.echo(f"version {version} of {name!r} is in {stage_name}")


@models.command()
@click.argument("name")
@click.argument("new_name")
@click.pass_obj
def rename(session: Session, name: str, new_name: str) -> None:
    """Rename a registered model and with it all its versions."""
    session.client.rename_registered_model(name, new_name)
    click.echo(f"model {name!r} is now {new_name!r}")


@models.command()
@click.argument("name")
@click.argument("version", type=int, required=False)
@yes_option
@click.pass_obj
def delete(session: Session, name: str, version: int | None, yes: bool) -> None:
    """Delete a registered model with all its versions, or one version, for good."""
    what = f"model {name!r} with all its versions" if version is None else f"version {version} of {name!r}"
    if not yes:
        click.confirm(f"Delete {what} for good?", abort=True)
    if version is None:
        session.client.delete_registered_model(name)
    else:
        session.client.delete_model_version(name, version)
    click.echo(f"{what} is deleted")


def _print_versions(versions: list["ModelVersion"]) -> None:
    from trackwire.v1.model_registry_pb2 import ModelStage

    rows = [
        (
            version.version,
            ModelStage.Name(version.current_stage).removeprefix("MODEL_STAGE_").capitalize(),
            ", ".join(version.aliases),
            version.run_id,
            version.source,
            time_text(version.creation_time_ms),
        )
        for version in versions
    ]
    print_table(("VERSION", "STAGE", "ALIASES", "RUN", "SOURCE", "CREATED"), rows)
