"""The tables of issues."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, UniqueConstraint

from trackwire_server.stores.sql.tables.columns import (
    characters,
    characters_of,
    entries,
    metadata,
    number,
    reference,
    time_ms,
)

issues = Table(
    "issues",
    metadata,
    number("issue_no"),
    characters("issue_id", 64, default=None),
    reference("experiment_no", "experiments.experiment_no"),
    characters("name", 250, default=None),
    characters("description", default=None),
    characters("status", 16, default=None),
    # By rank; NULL where nobody said.
    Column("severity", Integer, nullable=True),
    # A list as JSON: nobody searches it.
    characters("root_causes", default="[]"),
    characters("source_run_id", 256),
    characters("created_by", 256),
    characters("last_updated_by", 256),
    time_ms("creation_time_ms"),
    time_ms("last_update_time_ms"),
    time_ms("last_seen_time_ms", nullable=True),
    Column("request_id", characters_of(64), nullable=True),
    UniqueConstraint("issue_id", name="uq_issues_issue_id"),
    UniqueConstraint("request_id", name="uq_issues_request_id"),
    Index("ix_issues_newest", "experiment_no", "creation_time_ms", "issue_id"),
)
issue_categories = Table(
    "issue_categories",
    metadata,
    reference("issue_no", "issues.issue_no"),
    # Their order is that in which they were given.
    Column("place", Integer, nullable=False),
    characters("name", 250, default=None),
    PrimaryKeyConstraint("issue_no", "place"),
    sqlite_with_rowid=False,
)
issue_metadata = entries("issue_metadata", "issue_no", "issues.issue_no")
