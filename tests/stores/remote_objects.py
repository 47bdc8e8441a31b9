"""fsspec's file system in memory, which stands for stores of objects: without folders, each object put whole."""

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

from fsspec.implementations.memory import MemoryFileSystem

from trackwire_server.core.remote_places import RemotePlace
from trackwire_server.stores.remote import Protocol, RemoteSettings
from trackwire_server.stores.remote.any_system import AnySystemDrive, fault_of
from trackwire_server.stores.remote.protocols import Driver

BUCKET = "bucket"
BeforePut = Callable[[str], None]


class Objects(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """All connections share the objects of one instance. As stores of objects do, it gives each one an id."""

    cachable = False

    def __init__(self) -> None:
        super().__init__(global_store=False)
        self.makedirs(BUCKET)
        self.turn = threading.RLock()
        self.before_put: BeforePut = lambda _: None
        self._numbers = itertools.count()
        self._generations: dict[str, int] = {}

    def put_file(self, lpath: str, rpath: str, **_: object) -> None:
        """Stores an object, visible at once and whole."""
        self.before_put(rpath)
        data = Path(lpath).read_bytes()
        with self.turn:
            self.pipe_file(rpath, data)
            self._generations[self._strip_protocol(rpath)] = next(self._numbers)

    def info(self, path: str, **said: object) -> dict[str, object]:
        """With an object's id."""
        info: dict[str, object] = super().info(path, **said)
        return info | {"generation": self._generations.get(str(info["name"]), "")}

    @property
    def names(self) -> list[str]:
        """Of all objects."""
        return sorted(self.store)


def objects_protocol(objects: Objects) -> Protocol:
    """A protocol that leads there."""
    return Protocol(lambda: Driver(lambda _: AnySystemDrive(objects), fault_of))


def settings_of_objects(spool: Path, folder: str = "", *, timeout_seconds: float = 30) -> RemoteSettings:
    """How a store reaches a folder there."""
    return RemoteSettings(RemotePlace("gs", BUCKET, folder), spool, timeout_seconds=timeout_seconds)
