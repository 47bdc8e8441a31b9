"""Issues that are taken over from elsewhere, in SQL, each within a transaction."""

import json

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trackwire_server.core.import_conflicts import check_same_issue
from trackwire_server.core.issue_entities import Issue
from trackwire_server.stores.sql.dialect import Dialect
from trackwire_server.stores.sql.entries import replace_entries
from trackwire_server.stores.sql.issues import add_categories, read_issues
from trackwire_server.stores.sql.tables import issue_categories, issue_metadata, issues


async def import_issue(connection: AsyncConnection, dialect: Dialect, issue: Issue) -> Issue:
    """Inserts the row, or updates it under its lock."""
    mine = issues.c.issue_id == issue.issue_id
    here = (await connection.execute(select(issues).where(mine).with_for_update())).all()
    if here:
        [before] = await read_issues(connection, here)
        check_same_issue(before, issue)
        await connection.execute(update(issues).where(mine).values(**_values(issue)))
    else:
        await connection.execute(insert(issues).values(issue_id=issue.issue_id, **_values(issue)))
    rows = (await connection.execute(select(issues).where(mine))).all()
    issue_no = rows[0].issue_no
    await connection.execute(delete(issue_categories).where(issue_categories.c.issue_no == issue_no))
    await add_categories(connection, issue_no, issue.categories)
    await replace_entries(connection, dialect, issue_metadata, issue_no, issue.metadata)
    [taken] = await read_issues(connection, rows)
    return taken


def _values(issue: Issue) -> dict[str, object]:
    return {
        "experiment_no": int(issue.experiment_id),
        "name": issue.name,
        "description": issue.description,
        "status": issue.status,
        "severity": issue.severity,
        "root_causes": json.dumps(list(issue.root_causes)),
        "source_run_id": issue.source_run_id,
        "created_by": issue.created_by,
        "last_updated_by": issue.last_updated_by,
        "creation_time_ms": issue.creation_time_ms,
        "last_update_time_ms": issue.last_update_time_ms,
        "last_seen_time_ms": issue.last_seen_time_ms,
    }
