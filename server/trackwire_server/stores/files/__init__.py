"""Artifact bytes in a folder of the server's file system."""

from trackwire_server.stores.files.store import FileBytes

__all__ = ["FileBytes"]
