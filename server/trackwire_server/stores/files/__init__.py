"""Artifact bytes in folders of the server's file system."""

from trackwire_server.stores.files.local_folders import local_folders
from trackwire_server.stores.files.store import FileBytes

__all__ = ["FileBytes", "local_folders"]
