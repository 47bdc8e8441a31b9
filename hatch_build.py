"""Builds the web UI into every wheel: there is none without."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


# Types are checked where hatchling isn't there.
class CustomBuildHook(BuildHookInterface):  # type: ignore[misc]
    """As hatchling wants it. An editable install takes the pages of the tree, which scripts/build_ui makes."""

    _folder: str | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raises SystemExit where there can be no pages."""
        if version == "editable":
            return
        self._folder = tempfile.mkdtemp()
        pages = Path(self._folder, "pages")
        program = Path(self.root, "client", "web", "build.py")
        if subprocess.run([sys.executable, program, "--into", pages], check=False).returncode:
            self._clean_up()
            self.app.abort("there is no wheel without the web UI, and that can't be built: see above")
        build_data["force_include"][str(pages)] = "trackwire_server/web/pages"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Once the wheel is written."""
        self._clean_up()

    def _clean_up(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder)
