"""What each protocol can, and what it needs: the one place where they are told apart.

      a file comes whole by        in place of another      empty folders         tried against
sftp  rename (posix-rename)        at once                  go                    asyncssh's server
ftp   rename (RNFR, RNTO)          at once                  go                    pyftpdlib, Pure-FTPd by hand
hdfs  rename                       which is removed first   stay                  nothing so far
gs    one upload of all of it      at once                  there are none        nothing so far
abfs  one upload of all of it      at once                  there are none        nothing so far
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trackwire_server.stores.remote.drive import Drive, FaultOf
from trackwire_server.stores.remote.settings import RemoteSettings


@dataclass(frozen=True, slots=True)
class Driver:
    """A protocol's code, loaded."""

    connect: Callable[[RemoteSettings], Drive]
    fault_of: FaultOf


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol. `load` raises ModuleNotFoundError where its extra is not installed."""

    load: Callable[[], Driver]
    # Without, a file is an object: put at its place whole, and visible then.
    has_folders: bool = False
    # Whether a file takes the place of another by its renaming alone.
    rename_replaces: bool = False
    # Whether removing a folder fails where something is in it: without, none can be removed while others write.
    removes_empty_only: bool = False
    # Whether a link is told from what it leads to: elsewhere it is the server's business where links lead.
    shows_links: bool = False


def _sftp() -> Driver:
    from trackwire_server.stores.remote import sftp

    return Driver(sftp.SftpDrive.connected, sftp.fault_of)


def _ftp() -> Driver:
    from trackwire_server.stores.remote import ftp

    return Driver(ftp.FtpDrive.connected, ftp.fault_of)


def _hdfs() -> Driver:
    # fsspec loads drivers when it connects, which is too late to say that one is missing.
    import pyarrow as pa  # noqa: F401

    from trackwire_server.stores.remote import any_system

    return Driver(any_system.connected_to_hdfs, any_system.fault_of)


def _gs() -> Driver:
    import gcsfs  # noqa: F401

    from trackwire_server.stores.remote import any_system

    return Driver(any_system.connected_to_gs, any_system.fault_of)


def _abfs() -> Driver:
    import adlfs  # noqa: F401

    from trackwire_server.stores.remote import any_system

    return Driver(any_system.connected_to_abfs, any_system.fault_of)


PROTOCOLS: Mapping[str, Protocol] = {
    "sftp": Protocol(_sftp, has_folders=True, rename_replaces=True, removes_empty_only=True, shows_links=True),
    "ftp": Protocol(_ftp, has_folders=True, rename_replaces=True, removes_empty_only=True),
    "hdfs": Protocol(_hdfs, has_folders=True),
    "gs": Protocol(_gs),
    "abfs": Protocol(_abfs),
    "abfss": Protocol(_abfs),
}
