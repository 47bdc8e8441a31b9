"""`trackwire tokens`: what it prints, what it keeps, and what it refuses."""

import json
import stat
import threading
from pathlib import Path

import pytest

from trackwire_server.__main__ import main
from trackwire_server.core.tokens import Scope, digest_of
from trackwire_server.tokens_file import read_tokens


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.toml"


def tokens(*arguments: str, **environment: str) -> int:
    return main(["tokens", *arguments], environment)


def test_created_token_is_printed_once_and_kept_as_a_hash(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tokens("create", "ci", "--scope", "read", "--expires", "90d", "--file", str(file)) == 0
    printed, said = capsys.readouterr()
    secret = printed.removesuffix("\n")
    assert "token 'ci', scope read, expires 2" in said
    assert secret not in said
    assert secret not in file.read_text()
    (kept,) = read_tokens(file)
    assert (kept.name, kept.scope, kept.digest) == ("ci", Scope.READ, digest_of(secret))
    assert kept.expires_ms is not None
    assert kept.expires_ms - kept.created_ms == 90 * 86_400_000
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_list_shows_no_token(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokens("create", "ci", "--expires", "12h", "--file", str(file))
    tokens("create", "alice@example.org", "--scope", "admin", "--file", str(file))
    secrets = capsys.readouterr().out.split()
    assert tokens("list", TRACKWIRE_TOKENS_FILE=str(file)) == 0
    table = capsys.readouterr().out
    head, first, second = table.splitlines()
    assert head.split() == ["NAME", "SCOPE", "CREATED", "EXPIRES"]
    assert first.startswith("ci                 write  20")
    assert second.endswith("  never")
    assert tokens("list", "--json", "--file", str(file)) == 0
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["name"], each["scope"]) for each in documents] == [("ci", "write"), ("alice@example.org", "admin")]
    assert not any(secret in table or secret in json.dumps(documents) for secret in secrets)


def test_revoked_token_is_gone_and_its_name_is_free(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokens("create", "ci", "--file", str(file))
    assert tokens("revoke", "ci", "--file", str(file)) == 0
    assert read_tokens(file) == []
    assert tokens("create", "ci", "--file", str(file)) == 0
    assert capsys.readouterr().out.count("tw_") == 2


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("create", "ci"), 1, "token 'ci' exists already: revoke it first"),
        (("revoke", "nobody"), 1, "token 'nobody' does not exist"),
        (("create", "a:b"), 2, "NAME: 'a:b': must be 1 to 100 letters, digits and . _ @ + -"),
        (("create", "new", "--expires", "soon"), 2, "--expires: 'soon': must be a time such as 90d"),
        (("create", "new", "--expires", "0d"), 2, "--expires: '0d'"),
        (("create", "new", "--expires", "99999d"), 2, "--expires: '99999d'"),
    ],
)
def test_refusal_changes_nothing(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], status: int, words: str
) -> None:
    tokens("create", "ci", "--file", str(file))
    before = file.read_text()
    assert tokens(*arguments, "--file", str(file)) == status
    assert f"trackwire tokens: {words}" in capsys.readouterr().err
    assert file.read_text() == before


def test_file_must_be_named_and_be_there(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tokens("list") == 2
    assert "--file: '': is required: name the server's --tokens-file" in capsys.readouterr().err
    for action in (("list",), ("revoke", "ci")):
        assert tokens(*action, "--file", str(file)) == 2
        assert f"does not exist: `trackwire tokens create NAME --file {file}` makes it" in capsys.readouterr().err
    assert tokens("create", "ci", "--file", str(file / "below")) == 2
    assert "can't be written" in capsys.readouterr().err
    assert not file.exists()


@pytest.mark.parametrize(("mode", "is_taken"), [(0o600, True), (0o440, True), (0o644, False), (0o660, False)])
def test_file_that_others_may_touch_is_refused(
    file: Path, capsys: pytest.CaptureFixture[str], mode: int, is_taken: bool
) -> None:
    tokens("create", "ci", "--file", str(file))
    file.chmod(mode)
    assert (tokens("list", "--file", str(file)) == 0) is is_taken
    assert (f"its mode is {mode:04o}" in capsys.readouterr().err) is not is_taken


def test_tokens_made_at_the_same_time_are_all_kept(file: Path) -> None:
    making = [threading.Thread(target=tokens, args=("create", f"t{n}", "--file", str(file))) for n in range(8)]
    for thread in making:
        thread.start()
    for thread in making:
        thread.join()
    assert {token.name for token in read_tokens(file)} == {f"t{n}" for n in range(8)}


def test_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "tokens.toml"
    file.symlink_to(target)
    tokens("create", "ci", "--file", str(file))
    assert file.is_symlink()
    assert [token.name for token in read_tokens(target)] == ["ci"]
