"""Families of figures on their way from one worker to another, and together as text."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

WORKER = "worker"


def packed(families: Iterable[Metric]) -> bytes:
    """For another worker."""
    return json.dumps(
        [
            [family.name, family.documentation, family.type, [sample[:3] for sample in family.samples]]
            for family in families
        ]
    ).encode()


def unpacked(data: bytes) -> Iterator[Metric]:
    """What `packed` made."""
    for name, documentation, kind, samples in json.loads(data):
        family = Metric(name, documentation, kind)
        for sample in samples:
            family.add_sample(*sample)
        yield family


def merged(of_workers: Mapping[int, Iterable[Metric]]) -> Sequence[Metric]:
    """The families of all workers, whose samples have the worker as a label."""
    together: dict[str, Metric] = {}
    for worker, families in of_workers.items():
        for family in families:
            known = together.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                known.add_sample(sample.name, {WORKER: str(worker), **sample.labels}, sample.value)
    return list(together.values())


def text_of(families: Sequence[Metric]) -> bytes:
    """As Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(_Given(families))
    return generate_latest(registry)


class _Given(Collector):
    def __init__(self, families: Sequence[Metric]):
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
