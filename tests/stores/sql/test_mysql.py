"""What is said to MySQL and MariaDB: addresses, numbers, keys. No server is needed to look at it."""

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateIndex

from trackwire_server.core.errors import FailedPrecondition, InvalidArgument, StoreUnavailable
from trackwire_server.stores.sql.database import Database
from trackwire_server.stores.sql.dialect import ConnectionSettings
from trackwire_server.stores.sql.mysql_dialect import MysqlDialect
from trackwire_server.stores.sql.mysql_driver import _as_literal, _from_text, arguments_of
from trackwire_server.stores.sql.mysql_words import TrackwireMysql
from trackwire_server.stores.sql.tables import metadata

LARGEST = sys.float_info.max
REALS = st.floats(allow_nan=False) | st.sampled_from([math.inf, -math.inf, LARGEST, -LARGEST])


@given(REALS)
def test_every_real_but_the_largest_comes_back_as_it_was(value: float) -> None:
    literal = _as_literal(value)
    assert "e" in literal
    assert math.isfinite(float(literal))
    below = math.copysign(math.nextafter(LARGEST, 0), value)
    assert _from_text(literal) == (below if abs(value) == LARGEST else value)


@given(REALS, REALS)
def test_reals_are_in_order_as_they_are_kept(one: float, other: float) -> None:
    if one < other:
        assert float(_as_literal(one)) <= float(_as_literal(other))


def test_address_becomes_arguments_of_the_driver() -> None:
    assert arguments_of(
        make_url("mariadb+pymysql://me:se%40cret@db:3307/runs?ssl_ca=/ca.pem&ssl_check_hostname=true")
    ) == {
        "host": "db",
        "port": 3307,
        "user": "me",
        "password": "se@cret",
        "database": "runs",
        "ssl": {"ca": "/ca.pem", "check_hostname": True},
    }
    assert arguments_of(make_url("mysql://me@localhost/runs?unix_socket=/s"))["unix_socket"] == "/s"


@pytest.mark.parametrize(
    ("uri", "why"), [("mysql://me@db", "must name a database"), ("mysql://me@db/runs?sll_ca=/ca.pem", "sll_ca")]
)
def test_address_with_something_wrong_is_refused_by_what_it_is(uri: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match=why) as error:
        MysqlDialect(make_url(uri), ConnectionSettings())
    assert error.value.field == "store_uri"


async def test_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/nowhere") as error:
        await Database.open("mysql://somebody:secret@127.0.0.1:1/nowhere")
    assert "secret" not in error.value.message


async def test_driver_that_is_missing_is_named_with_the_extra_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("trackwire_server.stores.sql.mysql")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncmy", None)
    with pytest.raises(FailedPrecondition, match=r"trackwire\[server,mysql\]"):
        await Database.open("mysql://me@localhost/runs")


def test_index_that_is_too_long_for_innodb_has_the_beginning_of_its_last_text() -> None:
    [index] = [each for each in metadata.tables["evaluation_datasets"].indexes if each.name.endswith("_name")]
    assert str(CreateIndex(index).compile(dialect=TrackwireMysql())).endswith(
        "(workspace, name, creation_time_ms DESC, dataset_id(14))"
    )
