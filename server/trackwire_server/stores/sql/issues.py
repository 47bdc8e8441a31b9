"""Issues in SQL."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.entities import EVERYTHING
from trackwire_server.core.errors import AlreadyExists
from trackwire_server.core.issue_entities import (
    Issue,
    IssueChange,
    IssueSeverity,
    IssueStatus,
    NewIssue,
    issue_not_found,
)
from trackwire_server.core.paging import Page, SearchQuery
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.deadlocks import tried_again
from trackwire_server.stores.sql.dialect import insert_row
from trackwire_server.stores.sql.entries import by_owner, delete_entry, entry_queries, upsert_entries
from trackwire_server.stores.sql.experiments import hold_active_experiment
from trackwire_server.stores.sql.filters import Searchable
from trackwire_server.stores.sql.prepared import Prepared, fetch_groups, parts
from trackwire_server.stores.sql.requests import begun_again, made_before, raced
from trackwire_server.stores.sql.search import AnyRow, count_rows, search_rows
from trackwire_server.stores.sql.tables import issue_categories, issue_metadata, issues

ISSUES = Searchable(
    source=issues,
    columns=[*issues.c],
    owner=issues.c.issue_no,
    attributes={
        "name": issues.c.name,
        "issue_id": issues.c.issue_id,
        "description": issues.c.description,
        "status": issues.c.status,
        "severity": issues.c.severity,
        "source_run_id": func.nullif(issues.c.source_run_id, ""),
        "created_by": func.nullif(issues.c.created_by, ""),
        "last_updated_by": func.nullif(issues.c.last_updated_by, ""),
        "experiment_id": issues.c.experiment_no,
        "creation_timestamp": issues.c.creation_time_ms,
        "last_updated_timestamp": issues.c.last_update_time_ms,
        "last_seen_timestamp": issues.c.last_seen_time_ms,
    },
    experiment=issues.c.experiment_no,
    lists={"categories": issue_categories.c.name},
)
_CATEGORIES = Prepared(
    select(issue_categories.c.issue_no, issue_categories.c.name)
    .where(issue_categories.c.issue_no.in_(bindparam("issue_nos", expanding=True)))
    .order_by(issue_categories.c.issue_no, issue_categories.c.place)
)


@tried_again
class SqlIssues:
    """An IssueStore."""

    def __init__(self, database: Database):
        self._database = database

    @begun_again
    async def create_issue(self, new: NewIssue) -> Issue:
        """Looks for the request before it inserts anything."""
        unique = raced("issue", new.issue_id, "uq_issues_issue_id", "uq_issues_request_id")
        async with self._database.write(unique) as connection:
            row = await made_before(connection, issues, new.request_id) or await self._insert(connection, new)
            [issue] = await read_issues(connection, [row])
            return issue

    async def get_issue(self, issue_id: str) -> Issue:
        """By the unique id."""
        async with self._database.read() as connection:
            return await _read_one(connection, issue_id)

    async def update_issue(self, issue_id: str, change: IssueChange, *, now_ms: int) -> Issue:
        """Updates the row and what hangs on it under its lock."""
        async with self._database.write() as connection:
            mine = select(issues.c.issue_no).where(issues.c.issue_id == issue_id)
            issue_no: int | None = await connection.scalar(mine.with_for_update())
            if issue_no is None:
                raise issue_not_found(issue_id)
            values = {**_changed_columns(change), "last_update_time_ms": now_ms}
            await connection.execute(update(issues).where(issues.c.issue_no == issue_no).values(values))
            if change.categories is not None:
                await connection.execute(delete(issue_categories).where(issue_categories.c.issue_no == issue_no))
                await add_categories(connection, issue_no, change.categories)
            await upsert_entries(connection, self._database.dialect, issue_metadata, issue_no, change.metadata)
            for key in change.deleted_metadata:
                await delete_entry(connection, issue_metadata, issue_no, key)
            return await _read_one(connection, issue_id)

    async def search_issues(self, query: SearchQuery) -> Page[Issue]:
        """A page of rows, then what hangs on them."""
        async with self._database.read() as connection:
            rows, position = await search_rows(connection, ISSUES, query)
            return Page(await read_issues(connection, rows), position)

    async def count_issues(self, query: SearchQuery) -> int:
        """By the database."""
        async with self._database.read() as connection:
            return await count_rows(connection, ISSUES, query)

    async def _insert(self, connection: AsyncConnection, new: NewIssue) -> AnyRow:
        there = (await connection.execute(select(issues).where(issues.c.issue_id == new.issue_id))).one_or_none()
        if there is not None and new.request_id and there.request_id == new.request_id:
            return there  # committed since the look for the request
        if there is not None:
            raise AlreadyExists("issue", new.issue_id, field="issue_id")
        experiment = await hold_active_experiment(connection, new.experiment_id)
        statement = insert(issues).values(
            issue_id=new.issue_id,
            experiment_no=experiment.experiment_no,
            name=new.name,
            description=new.description,
            status=new.status,
            severity=new.severity,
            root_causes=json.dumps(list(new.root_causes)),
            source_run_id=new.source_run_id,
            created_by=new.created_by,
            creation_time_ms=new.creation_time_ms,
            last_update_time_ms=new.creation_time_ms,
            last_seen_time_ms=new.last_seen_time_ms,
            request_id=new.request_id or None,
        )
        row = await insert_row(connection, statement)
        await add_categories(connection, row.issue_no, new.categories)
        await upsert_entries(connection, self._database.dialect, issue_metadata, row.issue_no, new.metadata)
        return row


def _changed_columns(change: IssueChange) -> Mapping[str, object]:
    asked = {
        "name": change.name,
        "description": change.description,
        "status": change.status,
        "severity": change.severity,
        "last_seen_time_ms": change.last_seen_time_ms,
        "last_updated_by": change.last_updated_by,
    }
    return {column: value for column, value in asked.items() if value is not None}


async def add_categories(connection: AsyncConnection, issue_no: int, names: Sequence[str]) -> None:
    """Gives an issue that has none its categories, in their order."""
    rows = [{"issue_no": issue_no, "place": place, "name": name} for place, name in enumerate(names)]
    if rows:
        await connection.execute(insert(issue_categories), rows)


async def _read_one(connection: AsyncConnection, issue_id: str) -> Issue:
    row = (await connection.execute(select(issues).where(issues.c.issue_id == issue_id))).one_or_none()
    if row is None:
        raise issue_not_found(issue_id)
    [issue] = await read_issues(connection, [row])
    return issue


async def read_issues(connection: AsyncConnection, rows: Sequence[AnyRow]) -> list[Issue]:
    """The issues of these rows, in their order."""
    issue_nos = [row.issue_no for row in rows]
    category_rows, metadata_rows = await fetch_groups(
        connection,
        [(_CATEGORIES, {"issue_nos": part}) for part in parts(issue_nos)],
        entry_queries(issue_metadata, issue_nos, EVERYTHING),
    )
    categories: dict[int, list[str]] = defaultdict(list)
    for issue_no, name in category_rows:
        categories[issue_no].append(name)
    said = by_owner(metadata_rows)
    return [_issue(row, categories[row.issue_no], said.get(row.issue_no, {})) for row in rows]


def _issue(row: AnyRow, categories: Sequence[str], metadata: Mapping[str, str]) -> Issue:
    return Issue(
        issue_id=row.issue_id,
        experiment_id=str(row.experiment_no),
        name=row.name,
        description=row.description,
        creation_time_ms=row.creation_time_ms,
        last_update_time_ms=row.last_update_time_ms,
        status=IssueStatus(row.status),
        severity=None if row.severity is None else IssueSeverity(row.severity),
        root_causes=tuple(json.loads(row.root_causes)),
        categories=tuple(categories),
        source_run_id=row.source_run_id,
        created_by=row.created_by,
        last_updated_by=row.last_updated_by,
        last_seen_time_ms=row.last_seen_time_ms,
        metadata=metadata,
    )
