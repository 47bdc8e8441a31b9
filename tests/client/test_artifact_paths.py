"""The client tells at the call what the server would refuse later: the rule stands on both sides of the wire."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trackwire.errors import InvalidArgumentError
from trackwire.fluent.artifact_paths import checked_path
from trackwire_server.core.artifact_paths import check_artifact_path
from trackwire_server.core.errors import InvalidArgument

PATHS = st.lists(st.sampled_from(["a", "ü", "/", ".", "..", "\\", "%2e", "%2f", "%25", "%00", "\n", "x" * 250])).map(
    "".join
)


@given(PATHS)
@example("")
@example("/etc")
@example("x" * 256)
@example("a/" * 512 + "a")
def test_client_and_server_refuse_the_same_paths(path: str) -> None:
    try:
        check_artifact_path("path", path)
    except InvalidArgument:
        with pytest.raises(InvalidArgumentError):
            checked_path(path)
    else:
        assert checked_path(path) == path
