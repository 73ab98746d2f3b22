"""``maestro-flow migrate``: the store is at the schema of this version afterwards, and the last line says so."""

from __future__ import annotations

import logging
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from maestro_flow_sql import migrations
from maestro_flow_sql.migrations import MIGRATIONS

from maestro_flow.cli.main import cli as command
from maestro_flow.storage.url import without_password
from tests.cli.command_line import CommandLine, no_op
from tests.servers.postgres import Server
from tests.storage.migrating import NEXT


def test_a_store_that_is_not_there_is_made_and_the_second_time_nothing_is_done(cli: CommandLine) -> None:
    for _ in range(2):
        done = cli("migrate")
        assert done.stdout == "store sqlite:///maestro-flow.db: up to date at schema version 3\n"
    cli("list")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a store that is not there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/runs.db"
    server: Server = request.getfixturevalue("postgres")
    return server.url(request.getfixturevalue("schema"))


def test_what_is_done_is_shown(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, which can be made to know one schema more."""
    log = logging.getLogger("maestro_flow.storage")
    before = (log.level, list(log.handlers))

    def lines() -> list[str]:
        result = CliRunner().invoke(command, ["migrate", "--store", url])
        assert result.exit_code == 0
        return result.output.splitlines()

    store = f"store {without_password(url)}:"
    assert lines() == [f"{store} up to date at schema version {NEXT.version - 1}"]
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, NEXT))
    step, done = lines()
    assert re.fullmatch(rf"the store \S+: schema {NEXT.version - 1} -> {NEXT.version}", step)
    assert done == f"{store} migrated to schema version {NEXT.version}"
    assert lines() == [f"{store} up to date at schema version {NEXT.version}"]
    assert (log.level, log.handlers) == before


def test_a_store_of_a_newer_version_is_one_line(cli: CommandLine) -> None:
    cli("run", cli.workflow("small", no_op("only")))
    with closing(sqlite3.connect(cli.folder / "maestro-flow.db")) as store, store:
        store.execute("update store_meta set schema_version = 999, oldest_reader = 999")
    done = cli("migrate", code=2)
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert "schema 999" in done.stderr


def test_a_newer_store_that_lets_us_in_stays_what_it_is(cli: CommandLine) -> None:
    cli("migrate")
    with closing(sqlite3.connect(cli.folder / "maestro-flow.db")) as store, store:
        store.execute("update store_meta set schema_version = 7")
    assert cli("migrate").stdout == "store sqlite:///maestro-flow.db: up to date at schema version 7\n"
