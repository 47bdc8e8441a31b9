"""Calls of a store over HTTP: what is asked, which way it goes, and what is said of a failure."""

import io
import ssl
import threading
from pathlib import Path

import pytest
from tests.certificates import Authority
from tests.client.presigned.scripted_store import ScriptedStore, ok, refusal, scripted_store
from tests.ports import free_port

from trackwire.client.presigned.download import DirectDownload
from trackwire.client.presigned.store_calls import StoreConnection
from trackwire.client.presigned.urls import StoreFailure
from trackwire.errors import DeadlineExceededError
from trackwire.v1.artifacts_pb2 import CreateArtifactDownloadUrlResponse

DATA = bytes(range(256)) * 10_000
ETAG = '"etag"'
SECRET = "X-Amz-Signature=0123456789abcdef"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def whole(_head: str) -> bytes:
    return ok(DATA, ETag=ETAG)


def url_of(store: ScriptedStore, host: str = "127.0.0.1", scheme: str = "http") -> str:
    return f"{scheme}://{host}:{store.port}/bucket/a%20file?{SECRET}"


def fetched(url: str) -> bytes:
    connection = StoreConnection()
    try:
        return connection.get(url, byte_range="", etag=ETAG).read()
    finally:
        connection.close()


def refused(url: str) -> StoreFailure:
    with pytest.raises(StoreFailure) as failure:
        fetched(url)
    assert "0123456789abcdef" not in repr(failure.value)
    return failure.value


def download_of(url: str, sink: io.BytesIO, **options: float) -> DirectDownload:
    said = CreateArtifactDownloadUrlResponse(url=url, etag=ETAG, size_bytes=len(DATA))
    seconds = options.get("timeout_seconds")
    offset, end = int(options.get("offset", 0)), int(options.get("end", len(DATA)))
    return DirectDownload(said, sink, offset=offset, end=end, timeout_seconds=seconds)


def test_call_is_for_the_object_that_was_meant() -> None:
    with scripted_store(whole) as store:
        assert fetched(url_of(store)) == DATA
        [head] = store.heads
    assert head.startswith(f"GET /bucket/a%20file?{SECRET} HTTP/1.1\r\n")
    assert f"If-Match: {ETAG}" in head


@pytest.mark.parametrize(
    ("status", "code"), [(403, "RequestTimeTooSkewed"), (412, "PreconditionFailed"), (503, "SlowDown")]
)
def test_refusal_is_named_without_the_url_s_secret(status: int, code: str) -> None:
    with scripted_store(lambda _: refusal(status, code)) as store:
        failure = refused(url_of(store))
        assert str(failure) == f"http://127.0.0.1:{store.port}/bucket/a%20file: answers {status} {code}"
    assert (failure.status, failure.code) == (status, code)


def test_redirect_to_another_host_is_not_followed() -> None:
    with scripted_store(whole) as other:
        moved = refusal(307, "TemporaryRedirect", Location=url_of(other))
        with scripted_store(lambda _: moved) as store:
            assert refused(url_of(store)).status == 307
        assert other.heads == []


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid", "a..b"])
def test_store_that_is_not_there_is_named(host: str) -> None:
    failure = refused(f"http://{host}:{free_port()}/bucket/file?{SECRET}")
    assert failure.status == 0
    assert str(failure).startswith(f"http://{host}:")


def test_url_of_another_scheme_is_refused() -> None:
    assert "neither http nor https" in str(refused(f"file:///etc/passwd?{SECRET}"))


def test_certificate_that_nobody_vouches_for_is_refused_and_one_of_a_known_authority_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, "authority")
    pair = authority.issue("localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    with scripted_store(whole, tls) as store:
        assert "CERTIFICATE_VERIFY_FAILED" in str(refused(url_of(store, "localhost", "https")))
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
        assert fetched(url_of(store, "localhost", "https")) == DATA


def test_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_store(whole) as proxy:
        monkeypatch.setenv("http_proxy", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
        assert fetched(f"http://store.invalid/bucket/file?{SECRET}") == DATA
        [head] = proxy.heads
    assert head.startswith(f"GET http://store.invalid/bucket/file?{SECRET} HTTP/1.1\r\n")
    assert "Host: store.invalid\r\n" in head
    assert "Proxy-Authorization: Basic dXNlcjpwQHNz" in head


def test_what_is_encrypted_goes_through_a_proxy_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_store(lambda _: refusal(502, "")) as proxy:
        monkeypatch.setenv("https_proxy", f"http://user:p%40ss@127.0.0.1:{proxy.port}")
        assert "502" in str(refused(f"https://store.invalid/bucket/file?{SECRET}"))
        [head] = proxy.heads
    assert head.startswith("CONNECT store.invalid:443 HTTP/1.")
    assert "Proxy-Authorization: Basic dXNlcjpwQHNz" in head
    assert SECRET not in head


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", ""])
def test_this_machine_is_never_behind_a_proxy(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", no_proxy)
    with scripted_store(whole) as store:
        assert fetched(url_of(store)) == DATA


def test_proxy_that_is_none_for_http_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    assert "its proxy speaks 'socks5'" in str(refused(f"http://store.invalid/bucket/file?{SECRET}"))


@pytest.mark.parametrize(
    "answer",
    [
        ok(DATA, ETag='"another"'),
        ok(DATA[:-1], ETag=ETAG),
        ok(DATA, ETag=ETAG, Content_Range=f"bytes 0-{len(DATA) - 1}/{len(DATA)}"),
    ],
    ids=["another file", "another size", "a range that was not asked for"],
)
def test_other_bytes_than_those_asked_for_are_not_taken(answer: bytes) -> None:
    sink = io.BytesIO()
    with scripted_store(lambda _: answer) as store, pytest.raises(StoreFailure, match="other bytes"):
        download_of(url_of(store), sink).run()
    assert sink.getvalue() == b""


def test_store_that_ignores_a_range_is_found_out() -> None:
    sink = io.BytesIO()
    with scripted_store(whole) as store, pytest.raises(StoreFailure, match="other bytes"):
        download_of(url_of(store), sink, offset=1_000_000).run()
    assert sink.getvalue() == b""


def test_what_arrived_before_a_connection_broke_is_in_the_sink() -> None:
    sink = io.BytesIO()
    with scripted_store(lambda head: whole(head)[:2_000_000]) as store:
        download = download_of(url_of(store), sink)
        with pytest.raises(StoreFailure, match="broke off"):
            download.run()
    assert 0 < download.written < len(DATA)
    assert sink.getvalue() == DATA[: download.written]


def test_what_is_there_already_is_not_written_again() -> None:
    sink = io.BytesIO()
    with scripted_store(whole) as store:
        download = download_of(url_of(store), sink, offset=1_000)
        download.run()
    assert download.written == len(DATA) - 1_000
    assert sink.getvalue() == DATA[1_000:]


def test_sink_that_fails_is_no_failure_of_the_store() -> None:
    class Full(io.BytesIO):
        def write(self, data: object, /) -> int:
            raise OSError(28, "No space left on device")

    with scripted_store(whole) as store, pytest.raises(OSError, match="No space left"):
        download_of(url_of(store), Full()).run()


def test_download_that_takes_too_long_ends() -> None:
    with scripted_store(whole) as store, pytest.raises(DeadlineExceededError, match="longer than 0 s"):
        download_of(url_of(store), io.BytesIO(), timeout_seconds=0).run()


def test_interrupted_call_ends_at_once() -> None:
    asked, answered = threading.Event(), threading.Event()

    def never(_head: str) -> bytes:
        asked.set()
        answered.wait(60)
        return b""

    with scripted_store(never) as store:
        download = download_of(url_of(store), io.BytesIO())
        ended: list[BaseException] = []

        def run() -> None:
            try:
                download.run()
            except StoreFailure as failure:
                ended.append(failure)

        running = threading.Thread(target=run)
        running.start()
        assert asked.wait(30)
        download.interrupt()
        running.join(30)
        answered.set()
    assert ended
