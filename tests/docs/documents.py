"""The project's documents, and the blocks in them that say that they are tested."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"
SEARCH = ROOT / "docs" / "search.md"
PROTOS = ROOT / "protos" / "README.md"
DEFAULT_ADDRESS = "127.0.0.1:5051"


def block_of(document: Path, name: str) -> str:
    """What stands in the fence behind `<!-- tested: name -->`."""
    found = re.findall(rf"<!-- tested: {re.escape(name)} -->\n```\w+\n(.*?)```\n", document.read_text(), re.DOTALL)
    assert len(found) == 1, f"{document}: {len(found)} blocks are 'tested: {name}'"
    return str(found[0])


def table_of(document: Path, name: str) -> list[list[str]]:
    """The rows of the table behind `<!-- tested: name -->`, without its head."""
    _, _, behind = document.read_text().partition(f"<!-- tested: {name} -->\n")
    lines = behind.partition("\n\n")[0].splitlines()
    assert len(lines) > 2, f"{document}: no table is 'tested: {name}'"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def fenced(document: Path, language: str) -> list[str]:
    """All blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```\n", document.read_text(), re.DOTALL | re.MULTILINE)
