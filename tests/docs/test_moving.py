"""What the page on imports and exports says of the tables is so."""

from tests.docs.documents import ROOT, table_of

from trackwire.exporting.tables import TABLES

PAGE = ROOT / "docs" / "moving.md"


def test_tables_are_those_that_are_written() -> None:
    described = {name.strip("`"): columns for name, _, columns in table_of(PAGE, "tables")}
    written = {
        name: ", ".join(f"`{column}`" + ("" if kind == "string" else f" {kind}") for column, kind in columns.items())
        for name, columns in TABLES.items()
    }
    assert described == written
