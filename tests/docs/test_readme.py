"""What README says is so."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.docs.documents import DEFAULT_ADDRESS, README, ROOT, block_of, fenced, table_of
from tests.docs.reader import PYTHONPATH, Shell

from trackwire.cli import cli
from trackwire_server.config import SETTINGS
from trackwire_server.core.limits import LIMITS

LIMIT_FIELDS = {
    "key of a metric, param or tag": "key_characters",
    "value of a param": "param_value_characters",
    "value of a tag": "tag_value_characters",
    "name of an experiment": "experiment_name_characters",
    "params, tags or keys in one request": "entries_per_request",
    "points in one IngestMetrics": "points_per_ingest",
    "series in one IngestMetrics": "series_per_ingest",
    "points in one LogMetrics": "points_per_log",
    "bytes of one message": "message_bytes",
    "characters of a filter": "filter_characters",
    "runs in one page": "runs_page_size",
    "bytes of an artifact": "artifact_bytes",
}


def test_python_snippets_run_one_after_the_other(address: str, tmp_path: Path) -> None:
    snippets = fenced(README, "python")
    assert len(snippets) == 4
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(snippets).replace(DEFAULT_ADDRESS, address)],
        env={"PYTHONPATH": PYTHONPATH, "TRACKWIRE_SHIPPER_IDLE_SECONDS": "0"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found, *_, thinned, tailed, _name, first, second = done.stdout.splitlines()
    assert "'loss': 0.001" in found
    assert thinned.endswith(" of 1000")
    assert int(thinned.split()[0]) <= 100
    assert tailed == "[0.]"
    assert {first, second} == {"accuracy 1000", "loss 1001"}


def test_shell_lines_and_then_the_command_line_run(shell: Shell) -> None:
    assert '"from-a-shell"' in shell(block_of(README, "shell"))
    # Safe to type again: the run is joined.
    assert '"from-a-shell"' in shell(block_of(README, "shell"))
    printed = shell(block_of(README, "command line"))
    assert "all is well" in printed
    assert "demo@champion is version 1" in printed
    assert "run from-a-shell is active" in printed


def test_help_is_what_the_command_line_prints() -> None:
    printed = CliRunner().invoke(cli, ["--help"], prog_name="trackwire", terminal_width=100).output
    assert block_of(README, "help") == printed


def test_settings_table_is_that_of_the_server() -> None:
    described = [
        [_quoted(setting.flags), _quoted(setting.variables), _quoted([setting.default]), setting.description]
        for setting in SETTINGS
    ]
    assert table_of(README, "settings") == described


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts if text)


def test_each_promise_to_a_training_has_its_test() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    names = [test.strip("`") for _, test in table_of(README, "outage contract")]
    assert len(names) == len(set(names)) > 5
    assert [name for name in names if f"def {name}(" not in code] == []


def test_limits_are_those_of_the_server() -> None:
    limits = {what: int(limit.removesuffix(" characters").replace(",", "")) for what, limit in _limit_rows()}
    assert limits == {what: getattr(LIMITS, field) for what, field in LIMIT_FIELDS.items()}


def _limit_rows() -> list[list[str]]:
    return table_of(README, "limits")


def test_changelog_has_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\n## [{version}] - 20" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    "document",
    ["README.md", "CONTRIBUTING.md", "docs/operations.md", "docs/search.md", "docs/security.md", "protos/README.md"],
)
def test_links_lead_to_files_that_are_there(document: str) -> None:
    path = ROOT / document
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text())
    missing = [target for target in targets if not (path.parent / target).exists()]
    assert not missing
