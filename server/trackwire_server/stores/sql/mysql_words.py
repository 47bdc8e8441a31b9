"""SQLAlchemy's dialect for MySQL and MariaDB, in the words that our tables and statements need."""

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, LargeBinary, PrimaryKeyConstraint, String, Table, Text
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.mysql.asyncmy import MySQLDialect_asyncmy
from sqlalchemy.dialects.mysql.base import MySQLDDLCompiler, MySQLTypeCompiler
from sqlalchemy.dialects.mysql.mysqldb import MySQLCompiler_mysqldb
from sqlalchemy.ext.compiler import compiles

from trackwire_server.stores.sql.dialect import GatheredAsJson, InLowerCase

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.sql.selectable import FromClause, Select

DRIVER_NAME = "mysql+trackwire"
# Of one key, in InnoDB's pages of 16 KiB.
_KEY_BYTES_MAX = 3_072
_CHARACTER_BYTES, _LENGTH_BYTES, _NUMBER_BYTES = 4, 2, 8


def by_code_points(*, mariadb: bool) -> str:
    """The collation that tells all texts apart and orders them by code points, with no look at trailing spaces."""
    return "utf8mb4_nopad_bin" if mariadb else "utf8mb4_0900_bin"


class _Types(MySQLTypeCompiler):
    """Text and bytes of any length."""

    def visit_TEXT(self, type_: Any, **kw: Any) -> str:  # noqa: N802  # so SQLAlchemy calls it
        return "LONGTEXT"

    def visit_large_binary(self, type_: LargeBinary, **kw: Any) -> str:
        return "LONGBLOB"


class _Tables(MySQLDDLCompiler):
    """Tables of InnoDB whose texts are compared by code points, with keys that it can hold."""

    def post_create_table(self, table: Table) -> str:
        collation = by_code_points(mariadb=self.dialect.is_mariadb)
        return f" ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 COLLATE {collation}"

    def get_column_default_string(self, column: Column[Any]) -> str | None:
        default = super().get_column_default_string(column)
        # Of a long text it has to be an expression.
        return f"({default})" if default is not None and isinstance(column.type, Text) else default

    def visit_primary_key_constraint(self, constraint: PrimaryKeyConstraint, **kw: Any) -> str:
        # It is called PRIMARY whatever its name, and a name is warned of.
        return f"PRIMARY KEY ({', '.join(map(self.preparer.format_column, constraint))})"

    def visit_create_index(self, create: Any, *args: Any, **kw: Any) -> str:
        index = create.element
        if [*index.columns] == [*index.table.primary_key]:
            return "DO 0"  # without its condition it finds what the primary key does
        if (over := sum(map(_key_bytes, index.columns)) - _KEY_BYTES_MAX) > 0:
            *_, last = (column for column in index.columns if isinstance(column.type, String))
            begins = (_key_bytes(last) - _LENGTH_BYTES - over) // _CHARACTER_BYTES
            index.dialect_options[self.dialect.name]["length"] = {last.name: begins}
        # Pages begin with the newest, and with the lowest id of one time: where an index is in another order than that,
        # all rows are sorted for each page.
        return re.sub(r"(_time_ms), ", r"\1 DESC, ", super().visit_create_index(create, *args, **kw))


class _Statements(MySQLCompiler_mysqldb):
    """Tables are read in the order in which they stand: what locks rows does so in that order, and no others."""

    def get_select_precolumns(self, select: "Select[Any]", **kw: Any) -> str:
        words = super().get_select_precolumns(select, **kw)
        # Nothing public tells it.
        locks = select._for_update_arg is not None  # noqa: SLF001
        return f"{words}STRAIGHT_JOIN " if locks else words

    def update_tables_clause(
        self, update_stmt: Any, from_table: Any, extra_froms: "list[FromClause]", **kw: Any
    ) -> str:
        kw["asfrom"] = True
        return " STRAIGHT_JOIN ".join(self.process(table, **kw) for table in [*extra_froms, from_table])


class TrackwireMysql(MySQLDialect_asyncmy):
    """The dialect under DRIVER_NAME."""

    supports_statement_cache = True
    statement_compiler = _Statements
    ddl_compiler = _Tables
    type_compiler_cls = _Types


registry.register(DRIVER_NAME.replace("+", "."), __name__, TrackwireMysql.__name__)


@compiles(GatheredAsJson, "mysql")
def _gathered_in_mysql(element: GatheredAsJson, compiler: "SQLCompiler", **options: Any) -> str:
    return f"json_objectagg({compiler.process(element.clauses, **options)})"


@compiles(InLowerCase, "mysql")
def _in_lower_case_in_mysql(element: InLowerCase, compiler: "SQLCompiler", **options: Any) -> str:
    mariadb = compiler.dialect.is_mariadb  # type: ignore[attr-defined]  # of its dialects
    # The collations that compare by code points know the capitals of few alphabets.
    every_alphabet = "utf8mb4_uca1400_ai_ci" if mariadb else "utf8mb4_0900_ai_ci"
    text = compiler.process(element.clauses, **options)
    return f"lower(convert({text} using utf8mb4) collate {every_alphabet}) collate {by_code_points(mariadb=mariadb)}"


def _key_bytes(column: Column[Any]) -> int:
    if isinstance(column.type, String):
        return _CHARACTER_BYTES * (column.type.length or 0) + _LENGTH_BYTES
    return _NUMBER_BYTES
