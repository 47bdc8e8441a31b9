"""What npm is told to install for the web UI: by version and checksum, from wherever npm is set to look."""

import json

from tests.docs.documents import ROOT

WEB = ROOT / "client" / "web"


def test_lock_file_has_checksums_and_no_addresses() -> None:
    text = (WEB / "package-lock.json").read_text()
    assert "://" not in text
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}
    assert packages
    assert all("integrity" in each for each in packages.values())


def test_packages_are_named_with_exact_versions() -> None:
    package = json.loads((WEB / "package.json").read_text())
    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert all(version[0].isdigit() for version in versions), versions
