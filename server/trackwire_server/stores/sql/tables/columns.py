"""What tables are made of: the kinds of columns, and two kinds of tables that several nouns have."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    event,
    func,
    literal_column,
    text,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Where an index bears the condition that its rows meet, and how much of a column it keeps.
_CONDITION = "where"
_LENGTHS = "length"
# Of a value, in an index: databases take no longer ones, and hardly a value is told from another one behind them.
INDEXED_CHARACTERS = 64
# SQLite numbers rows by itself only in a column that is exactly INTEGER PRIMARY KEY.
Number = BigInteger().with_variant(Integer, "sqlite")


def number(name: str) -> "Column[int]":
    """The primary key, which the database counts up."""
    return Column(name, Number, primary_key=True, autoincrement=True)


def reference(name: str, target: str, *, index: bool = False) -> "Column[int]":
    """The number of a row elsewhere, with which this one goes."""
    return Column(name, Number, ForeignKey(target, ondelete="CASCADE"), nullable=False, index=index)


def time_ms(name: str, *, nullable: bool = False) -> "Column[int]":
    """Unix milliseconds."""
    return Column(name, BigInteger, nullable=nullable)


def characters_of(length: int | None = None) -> TypeEngine[str]:
    """Text that is compared by its code points, in whatever language a database was made for."""
    if length is None:
        return Text().with_variant(Text(collation="C"), "postgresql")
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def characters(name: str, length: int | None = None, *, default: str | None = "") -> "Column[str]":
    """Text; with None for a default it has to be given."""
    return Column(
        name, characters_of(length), nullable=False, server_default=None if default is None else text(f"'{default}'")
    )


def flag(name: str) -> "Column[bool]":
    """False unless it is set."""
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def partial_index(name: str, *columns: "Column[Any]", where: ColumnElement[bool]) -> Index:
    """An index of the rows that meet a condition only."""
    return Index(name, *columns, info={_CONDITION: where})


@event.listens_for(metadata, "before_create")
def _say_options(_metadata: MetaData, connection: Connection, **_options: object) -> None:
    """Such are each database's own, and to name them would load the dialects of those that are not used."""
    for table in metadata.tables.values():
        for index in table.indexes:
            for option in (_CONDITION, _LENGTHS):
                if option in index.info:
                    index.dialect_options[connection.dialect.name][option] = index.info[option]


def beginning_of(value: "ColumnElement[str]") -> ColumnElement[str]:
    """What an index keeps of a value, as it stands there."""
    return func.substr(value, literal_column("1"), literal_column(str(INDEXED_CHARACTERS)))


def index_by_value(entries: Table) -> Table:
    """Lets the owners of a key and value be found. What `ddl_if` takes is more than its types say."""
    name, (owner, *_) = f"ix_{entries.name}_value", entries.primary_key.columns
    by_expression = Index(name, entries.c.key, beginning_of(entries.c.value), owner)
    by_expression.ddl_if(dialect=("sqlite", "postgresql"))  # type: ignore[arg-type]
    by_length = Index(name, entries.c.key, entries.c.value, owner, info={_LENGTHS: {"value": INDEXED_CHARACTERS}})
    by_length.ddl_if(dialect=("mysql", "mariadb"))  # type: ignore[arg-type]
    return entries


def entries(name: str, owner: str, target: str, *, key_characters: int = 250) -> Table:
    """Keys and values of something, such as its tags."""
    return Table(
        name,
        metadata,
        reference(owner, target),
        Column("key", characters_of(key_characters), nullable=False),
        Column("value", characters_of(), nullable=False),
        PrimaryKeyConstraint(owner, "key"),
        sqlite_with_rowid=False,
    )


def uploads_of(name: str, owner: str, target: str) -> Table:
    """Uploads of something's artifacts that are under way or have ended."""
    return Table(
        name,
        metadata,
        reference(owner, target),
        Column("upload_id", characters_of(64), nullable=False),
        characters("path", 1024, default=None),
        Column("size_bytes", BigInteger, nullable=False),
        Column("sha256", LargeBinary(32), nullable=False),
        flag("complete"),
        time_ms("begin_time_ms"),
        PrimaryKeyConstraint(owner, "upload_id"),
        Index(f"ix_{name}_begin_time_ms", "begin_time_ms"),
        sqlite_with_rowid=False,
    )
