"""What URIs of other protocols name."""

import pytest

from trackwire_server.core.remote_places import RemotePlace, remote_place


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("sftp://host", RemotePlace("sftp", "host", "")),
        ("sftp://me@host:2222/a b/c/", RemotePlace("sftp", "host", "a b/c", 2222, "me")),
        ("ftp://me:p%40s%2Fs@127.0.0.1/a", RemotePlace("ftp", "127.0.0.1", "a", 0, "me", "p@s/s")),
        ("sftp://me@[::1]:22/a", RemotePlace("sftp", "::1", "a", 22, "me")),
        ("gs://my.bucket-1/a", RemotePlace("gs", "my.bucket-1", "a")),
        ("abfss://c@acc.dfs.core.windows.net/a", RemotePlace("abfss", "acc.dfs.core.windows.net", "a", user="c")),
        ("abfs://c/a", RemotePlace("abfs", "c", "a")),
        ("hdfs:///a", RemotePlace("hdfs", "", "a")),
        ("hdfs://me@namenode:8020/a", RemotePlace("hdfs", "namenode", "a", 8020, "me")),
    ],
)
def test_uri_names_a_place(uri: str, place: RemotePlace) -> None:
    assert remote_place(uri) == place


@pytest.mark.parametrize(
    "uri",
    [
        "sftp:///folder",
        "sftp://me@host:65536/a",
        "sftp://host/a/../b",
        "sftp://host/%2e%2e/b",
        "sftp://host/a//b",
        "sftp://host/a?b",
        "sftp://host/a#b",
        "sftp://me@ho st/a",
        "gs://user@bucket/a",
        "gs://bucket:80/a",
        "abfs://c:secret@account/a",
        "hdfs://me:secret@host/a",
        "http://host/a",
        "/sftp",
    ],
)
def test_what_names_no_place_is_none(uri: str) -> None:
    assert remote_place(uri) is None


def test_password_is_neither_in_the_uri_nor_in_the_representation() -> None:
    place = remote_place("sftp://me:secret@[::1]:2222/a")
    assert place is not None
    assert place.uri == "sftp://me@[::1]:2222/a"
    assert "secret" not in repr(place)
