"""Who is let in by which header, and why others are not."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import FakeClock

from trackwire_server.core.errors import InvalidArgument, PermissionDenied, Unauthenticated
from trackwire_server.core.token_format import text_of, tokens_in
from trackwire_server.core.tokens import Gate, Scope, Token, digest_of, new_secret

SECRET = "tw_5ec2e7"
OTHER = "tw_07he2"
TABLE = '[[token]]\nname = "ci"\nsha256 = "' + "0" * 64 + '"\nscope = "read"\ncreated = 2026-01-01T00:00:00Z\n'

tokens = st.builds(
    Token,
    name=st.text("azAZ09._@+-", min_size=1, max_size=100),
    digest=st.binary(min_size=32, max_size=32),
    scope=st.sampled_from(Scope),
    created_ms=st.integers(0, 4_102_444_800_000),
    expires_ms=st.none() | st.integers(0, 4_102_444_800_000),
)


def token(scope: Scope = Scope.WRITE, expires_ms: int | None = None) -> Token:
    return Token("ci", digest_of(SECRET), scope, created_ms=0, expires_ms=expires_ms)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def gate(clock: FakeClock) -> Gate:
    return Gate([token()], clock)


@pytest.mark.parametrize("header", [f"Bearer {SECRET}", f"bearer  {SECRET} ", basic("ci", SECRET)])
def test_token_is_let_in_by_bearer_and_by_basic(gate: Gate, header: str) -> None:
    assert gate.admit(header, Scope.READ).name == "ci"
    assert gate.admit(header, Scope.WRITE).name == "ci"


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "TOKEN_MISSING"),
        ("", "AUTHORIZATION_MALFORMED"),
        (SECRET, "AUTHORIZATION_MALFORMED"),
        (f"Digest {SECRET}", "AUTHORIZATION_MALFORMED"),
        ("Basic !!!", "AUTHORIZATION_MALFORMED"),
        ("Basic " + base64.b64encode(SECRET.encode()).decode(), "AUTHORIZATION_MALFORMED"),
        ("Basic " + base64.b64encode(b"\xff\xfe:x").decode(), "AUTHORIZATION_MALFORMED"),
        ("Bearer", "TOKEN_UNKNOWN"),
        (f"Bearer {OTHER}", "TOKEN_UNKNOWN"),
        (f"Bearer {SECRET}x", "TOKEN_UNKNOWN"),
        ("Bearer \udcff", "TOKEN_UNKNOWN"),
        (basic("another", SECRET), "TOKEN_UNKNOWN"),
        (basic("ci", OTHER), "TOKEN_UNKNOWN"),
        (basic("", SECRET), "TOKEN_UNKNOWN"),
    ],
)
def test_refusal_says_what_is_wrong_and_never_what_came(gate: Gate, header: str | None, reason: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        gate.admit(header, Scope.READ)
    assert caught.value.reason == reason
    said = f"{caught.value.message} {caught.value.metadata}"
    assert SECRET not in said
    assert OTHER not in said


def test_token_counts_until_the_moment_it_expires(clock: FakeClock) -> None:
    gate = Gate([token(expires_ms=clock.now_ms + 1)], clock)
    assert gate.admit(f"Bearer {SECRET}", Scope.READ)
    clock.advance(1)
    with pytest.raises(Unauthenticated, match=r"'ci' has expired: it counted until 2025-10-09T08:53:20") as caught:
        gate.admit(f"Bearer {SECRET}", Scope.READ)
    assert caught.value.reason == "TOKEN_EXPIRED"


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("needed", Scope)
def test_scope_covers_those_below_it(clock: FakeClock, scope: Scope, needed: Scope) -> None:
    gate = Gate([token(scope)], clock)
    if scope >= needed:
        assert gate.admit(f"Bearer {SECRET}", needed)
        return
    with pytest.raises(PermissionDenied) as caught:
        gate.admit(f"Bearer {SECRET}", needed)
    assert caught.value.message == f"token 'ci' has the scope {scope.word}, and this needs {needed.word}"
    assert caught.value.metadata == {"token": "ci", "scope": scope.word, "needed": needed.word}


def test_replaced_tokens_count_no_more(gate: Gate) -> None:
    gate.replace([Token("new", digest_of(OTHER), Scope.READ, created_ms=0)])
    assert gate.admit(f"Bearer {OTHER}", Scope.READ).name == "new"
    with pytest.raises(Unauthenticated):
        gate.admit(f"Bearer {SECRET}", Scope.READ)


def test_secrets_are_long_recognisable_and_never_the_same() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(secret.startswith("tw_") and len(secret) == 43 for secret in secrets)


@given(st.lists(tokens, max_size=5, unique_by=(lambda each: each.name, lambda each: each.digest)))
def test_file_reads_as_it_was_written(written: list[Token]) -> None:
    assert tokens_in(text_of(written)) == written


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[token", "is no TOML"),
        ("tokens = 1", "tokens: 1: is not known here"),
        ("token = 1", "token: 1: must be tables"),
        (TABLE.replace('"ci"', '"a:b"'), r"token\[0\].name: 'a:b': must be 1 to 100 letters"),
        (TABLE.replace('"ci"', '"' + "n" * 101 + '"'), r"token\[0\].name"),
        (TABLE.replace("0" * 64, "0" * 63), r"token\[0\].sha256: .* must be 64 hexadecimal digits"),
        (TABLE.replace('"read"', '"root"'), r"token\[0\].scope: 'root': must be one of read, write, admin"),
        (TABLE.replace("00Z", "00"), r"token\[0\].created: .* must be a time such as"),
        (TABLE.replace("created", "# created"), r"token\[0\].created: '': is required"),
        (TABLE + "expires = 3\n", r"token\[0\].expires: 3: must be a time"),
        (TABLE + 'secret = "x"\n', r"token\[0\].secret: 'x': must be one of name, sha256"),
        (TABLE + TABLE, r"token\[1\].name: 'ci': stands there twice"),
        (TABLE + TABLE.replace("ci", "two"), r"token\[1\].sha256: .* stands there twice"),
    ],
)
def test_bad_file_is_told_by_the_token_and_its_field(text: str, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        tokens_in(text)
