"""Authorities and the certificates that they sign, made anew for each run of the tests."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with those behind it, and its key; `both` is one file of the two, as MLflow wants it."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """Who vouches for certificates; its own is the file `path`."""

    def __init__(self, folder: Path, name: str):
        self._folder = folder / name
        self._folder.mkdir(parents=True)
        self._ca = trustme.CA(organization_name=name)
        self.path = self._folder / "authority.pem"
        self._ca.cert_pem.write_to_path(str(self.path))

    def issue(
        self, *names: str, label: str = "server", not_before: datetime | None = None, not_after: datetime | None = None
    ) -> Pair:
        """A certificate for these names: of hosts, or of who calls. A second one of a label takes the first's place."""
        issued = self._ca.issue_cert(*(names or ("localhost", "127.0.0.1")), not_before=not_before, not_after=not_after)
        pair = Pair(*(self._folder / f"{label}-{part}.pem" for part in ("certificate", "key", "both")))
        pair.certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(pair.key))
        issued.private_key_and_cert_chain_pem.write_to_path(str(pair.both))
        return pair
