"""Artifact bytes in a folder that fsspec's file systems reach: by SFTP, FTP, HDFS, or at Google's or Azure's stores."""

from trackwire_server.stores.remote.protocols import PROTOCOLS, Protocol
from trackwire_server.stores.remote.settings import RemoteSettings
from trackwire_server.stores.remote.store import RemoteBytes

__all__ = ["PROTOCOLS", "Protocol", "RemoteBytes", "RemoteSettings"]
