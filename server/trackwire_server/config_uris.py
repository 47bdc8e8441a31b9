"""What settings may say about where things lie, in Trackwire's words and in MLflow's.

The parsers raise ValueError saying what would be right.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from trackwire_server.core.artifact_places import BucketFolder, bucket_folder, checked_location, local_folder
from trackwire_server.core.limits import LIMITS
from trackwire_server.core.remote_places import REMOTE_FORMS, remote_place, remote_scheme

MEMORY = "memory:"
# The families of stores/sql/database.py, which is too heavy to be loaded for a look at the settings.
_SQLITE = re.compile(r"sqlite(\+[a-z]+)?:///(?P<path>[^?]+)(?P<options>\?.*)?")
# Whichever driver it names, as MLflow's users have to.
_POSTGRES = re.compile(r"postgres(ql)?(\+[a-z0-9]+)?://.*")
_MYSQL = re.compile(r"(mysql|mariadb)(\+[a-z0-9]+)?://.*")
_DATABASE = re.compile(r"(mssql|oracle)(\+[a-z0-9]+)?:", re.IGNORECASE)
_STORES = (
    "must be postgresql://user@host/database, mysql://user@host/database, sqlite:///relative/path.db,"
    " sqlite:////absolute/path.db or memory:"
)
# As a root, each of them is the server's own artifact store.
_SERVED = re.compile(r"(trackwire|mlflow)-artifacts:/{0,3}")
# One server, all that a name has in DNS, or a list, with the port that all but the default one need.
_GRPC = re.compile(r"(grpcs?://)?(dns:///)?[A-Za-z0-9._:\[\]-]+(,[A-Za-z0-9.:\[\]-]+)*", re.ASCII)
# Up to the last "@" before a folder, as a password may have one; where it has a "/", too, up to the first one.
_PASSWORD = re.compile(r"(?P<user>://[^:/@]*:)([^/]*|[^@]*)@")
_EXPERIMENT_ID_CHARACTERS = 20
_REMOTE_RULES = (
    '".." is no part of the folder, nor are "?", "#" and "%", and in a user or a password "/", "@" and the like are'
    " written as %2F and %40"
)


def store_uri(text: str) -> str:
    """A database, or memory."""
    found = _SQLITE.fullmatch(text)
    if text == MEMORY or _POSTGRES.fullmatch(text) or _MYSQL.fullmatch(text) or (found and found["path"] != ":memory:"):
        return text
    if _DATABASE.match(text):
        raise ValueError(f"{_STORES} (this kind of database is not supported yet)")
    if re.match(r"[a-z][a-z0-9+]*://(?!/)", text) or not text.strip():
        raise ValueError(_STORES)
    raise ValueError(f"{_STORES} (there are no file stores: what a folder would hold lies in one database)")


def is_shareable(uri: str) -> bool:
    """Whether several processes may write to a store."""
    return not uri.startswith(("sqlite:", MEMORY))


def same_store(one: str, other: str) -> bool:
    """Whether two URIs mean the same store."""
    return _store_identity(one) == _store_identity(other)


def _store_identity(uri: str) -> str:
    found = _SQLITE.fullmatch(uri)
    return str(Path(found["path"]).absolute()) if found else uri


def artifacts_uri(text: str) -> str:
    """The folder or the bucket of the server's own artifact store, wherever it is, or memory."""
    if text.startswith("s3:"):
        if bucket_folder(text) is None:
            raise ValueError('must be s3://bucket/folder, where ".." is no part')
        return text
    if protocol := remote_scheme(text):
        if remote_place(text) is None:
            raise ValueError(f"must be {REMOTE_FORMS[protocol]}; {_REMOTE_RULES}")
        return text
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", text)
    if text == MEMORY or (scheme and scheme[1] == "file" and urlsplit(text).path.startswith("/")):
        return text
    if scheme or not text.strip() or "\0" in text:
        raise ValueError(
            "must be a folder such as /data/artifacts, a URI such as file:///data/artifacts, s3://bucket/folder or"
            " sftp://user@host/folder, or memory:"
        )
    return str(artifacts_folder(text))


def artifacts_folder(uri: str) -> Path | None:
    """The folder of this machine that such a URI names; None for memory and other places."""
    if uri == MEMORY or uri.startswith("s3:") or remote_scheme(uri):
        return None
    if uri.startswith("file:"):
        return Path(unquote(urlsplit(uri).path))
    return Path(uri).expanduser().absolute()


def s3_locations(text: str) -> Sequence[BucketFolder]:
    """Folders of buckets, by URIs with commas between them."""
    places = [(uri, bucket_folder(uri.strip())) for uri in text.split(",") if uri.strip()]
    for uri, place in places:
        if place is None:
            raise ValueError(f"must be URIs such as s3://bucket/folder with commas between them, not {uri!r}")
    return [place for _, place in places if place is not None]


def endpoint_url(text: str) -> str:
    """Where an HTTP service is; "" for its usual place."""
    if text and not re.fullmatch(r"https?://[^/\s?#@]+(/[^\s?#]*)?", text):
        raise ValueError("must be a URL such as http://minio:9000, without user and query")
    return text


def grpc_uri(text: str) -> str:
    """Where clients reach gRPC, as they take it; "" for none."""
    if text and not _GRPC.fullmatch(text):
        raise ValueError("must be host:port or grpc://host:port, or grpcs://host:port for TLS")
    return text


def artifact_root(text: str) -> str:
    """Where experiments keep artifacts that choose no location, made absolute; "" for the server's own store."""
    if _SERVED.fullmatch(text):
        return ""
    if text.lower().startswith(("trackwire-artifacts:", "mlflow-artifacts:", MEMORY)):
        raise ValueError("must be trackwire-artifacts:/ as it stands, a folder, or a URI that clients reach themselves")
    root = checked_location(text, Path.cwd())
    limit = LIMITS.uri_characters - _EXPERIMENT_ID_CHARACTERS
    if len(root) > limit:
        raise ValueError(f"must have at most {limit:,} characters")
    return root


def check_apart(root: str, own_folder: Path | None) -> None:
    """Whether runs in a root are out of the server's own store, which holds its files otherwise."""
    folder = local_folder(root)
    if folder is None or own_folder is None:
        return
    if Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(own_folder)):
        raise ValueError("must not lie in the server's own artifact store: leave it out, and the server serves all")


def without_password(uri: str) -> str:
    """A URI as it may be shown."""
    return _PASSWORD.sub(r"\g<user>***@", uri)
