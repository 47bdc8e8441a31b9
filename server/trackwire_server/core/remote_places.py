"""Where the server's own artifacts may lie beside folders and S3: what a URI of another protocol names.

sftp://user@host:22/folder    ftp://user@host:21/folder    hdfs://user@namenode:8020/folder
gs://bucket/folder            abfs://container@account.dfs.core.windows.net/folder, abfs://container/folder
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from trackwire_server.core.artifact_paths import path_fault

_URI = re.compile(
    r"(?P<scheme>sftp|ftp|gs|abfss?|hdfs)://"
    r"((?P<user>[^:/@?#]*)(?P<secret>:[^/@?#]*)?@)?"
    r"(?P<host>[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?"
    r"(?P<folder>/[^?#%]*)?",
    re.DOTALL,
)
_PORT_MAX = 65_535
# What the right form is, by the scheme of a URI.
REMOTE_FORMS: Mapping[str, str] = {
    "sftp": "sftp://user@host/folder",
    "ftp": "ftp://user@host/folder",
    "gs": "gs://bucket/folder",
    "abfs": "abfs://container@account.dfs.core.windows.net/folder",
    "abfss": "abfss://container@account.dfs.core.windows.net/folder",
    "hdfs": "hdfs://namenode:8020/folder",
}
# What has to be installed for them.
EXTRAS: Mapping[str, str] = {
    "sftp": "sftp",
    "ftp": "ftp",
    "gs": "gs",
    "abfs": "abfs",
    "abfss": "abfs",
    "hdfs": "hdfs",
}


@dataclass(frozen=True, slots=True)
class RemotePlace:
    """A folder somewhere else. Texts that were not said are "", and a port is 0; `folder` has no "/" at its ends."""

    scheme: str
    host: str
    folder: str
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def uri(self) -> str:
        """As it may be shown: without the password."""
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{user}{host}{port}/{self.folder}".rstrip("/")


def remote_scheme(uri: str) -> str:
    """The scheme, if it is one of those here; "" of all others."""
    scheme = uri.partition(":")[0]
    return scheme if scheme in REMOTE_FORMS else ""


def remote_place(uri: str) -> RemotePlace | None:
    """What such a URI names; None if it is none, or leads through ".." and the like."""
    found = _URI.fullmatch(uri)
    if found is None or int(found["port"] or 0) > _PORT_MAX:
        return None
    place = RemotePlace(
        found["scheme"],
        found["host"].strip("[]"),
        (found["folder"] or "").strip("/"),
        int(found["port"] or 0),
        unquote(found["user"] or ""),
        unquote((found["secret"] or "")[1:]),
    )
    return place if _is_possible(place) else None


def _is_possible(place: RemotePlace) -> bool:
    if place.folder and path_fault(place.folder):
        return False
    match place.scheme:
        case "sftp" | "ftp":
            return bool(place.host)
        case "hdfs":
            # Without a host, the one of Hadoop's own settings.
            return not place.password
        case "gs":
            return bool(place.host) and not (place.user or place.password or place.port)
    return bool(place.host) and not (place.password or place.port)
