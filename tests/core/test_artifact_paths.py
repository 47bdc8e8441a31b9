"""Which paths artifacts may have, and where the runs' own folders are."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.files_of_runs import RUN

from trackwire_server.core.artifact_paths import artifact_root, check_artifact_path, home_of_run
from trackwire_server.core.errors import FailedPrecondition, InvalidArgument


@pytest.mark.parametrize(
    "path", ["a", "a/b", ".hidden", "a..b", "...", "a b/ü", "100%", "100%25", "a%2fb", "-", "x" * 255, "C:"]
)
def test_clean_path_is_kept_as_it_is(path: str) -> None:
    assert check_artifact_path("path", path) == path


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../a",
        "a/../b",
        "a/..",
        ".",
        "./a",
        "a/.",
        "/a",
        "//a",
        "a//b",
        "a/",
        "/",
        "a\\b",
        "..\\a",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "a\x85b",
        "\ud800",
        "%2e%2e",
        "%2E%2e/a",
        "a/%2e%2e/b",
        "%252e%252e",
        "%25252e%25252e",
        ".%2e",
        "%2fetc",
        "a%2f%2fb",
        "a%2f..%2fb",
        "a%5cb",
        "a%00b",
        "%5c%5chost",
    ],
)
def test_path_that_could_escape_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_artifact_path("header.path", path)
    assert refused.value.field == "header.path"
    assert refused.value.metadata["value"]


@pytest.mark.parametrize(
    ("path", "limit"), [("a/" * 512 + "a", "1024"), ("x" * 256, "255"), ("ü" * 128, "255"), ("a/" + "x" * 256, "255")]
)
def test_long_path_is_refused_by_its_limit(path: str, limit: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_artifact_path("path", path)
    assert (refused.value.reason, refused.value.metadata["limit"]) == ("TOO_LONG", limit)


@given(st.text(alphabet="./\\%25eEfFcC0a", max_size=40))
def test_accepted_path_never_leads_out_however_often_it_is_decoded(path: str) -> None:
    from urllib.parse import unquote

    try:
        check_artifact_path("path", path)
    except InvalidArgument:
        return
    for _ in range(20):
        assert not path.startswith("/")
        assert not {"..", ".", ""} & set(path.replace("\\", "/").split("/"))
        path = unquote(path)


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("trackwire-artifacts:/0/run1/artifacts", "0/run1/artifacts"),
        ("trackwire-artifacts:/team/x/run1/artifacts", "team/x/run1/artifacts"),
        (f"trackwire-artifacts:/0/{'r' * 256}/artifacts", f"0/{'r' * 255}/r/artifacts"),
    ],
)
def test_run_lies_in_a_folder_of_its_own(uri: str, folder: str) -> None:
    assert artifact_root(home_of_run(replace(RUN, artifact_uri=uri))) == folder


@pytest.mark.parametrize(
    "uri", ["s3://bucket/run1/artifacts", "/data/run1/artifacts", "trackwire-artifacts:/../run1/artifacts", ""]
)
def test_run_elsewhere_is_refused_with_the_place(uri: str) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        artifact_root(home_of_run(replace(RUN, artifact_uri=uri)))
    assert refused.value.reason == "ARTIFACTS_ELSEWHERE"
    assert refused.value.metadata["artifact_uri"] == uri
    assert uri in str(refused.value)
