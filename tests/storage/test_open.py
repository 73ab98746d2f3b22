"""From a URL to a store."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from maestro_flow_sql.sqlite.storage import SqliteStorage

from maestro_flow.clock import ManualClock
from maestro_flow.errors import PluginError, SettingsError
from maestro_flow.storage import open as module
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.storage.open import open_storage


def test_the_scheme_chooses_the_backend(tmp_path: Path) -> None:
    memory, sqlite = open_storage("memory://"), open_storage(f"sqlite:///{tmp_path}/runs.db")
    assert (type(memory), type(sqlite)) == (MemoryStorage, SqliteStorage)
    sqlite.close()


def test_the_clock_is_handed_on() -> None:
    clock = ManualClock(1_000.0)
    store = open_storage("memory://", clock)
    store.push("w", b"{}")
    definition = store.definition("w")
    assert definition is not None
    assert definition.created_at == 1_000.0


@pytest.mark.parametrize("url", ["", "runs.db", "/srv/runs.db", "mongodb://host/db", "://"])
def test_a_url_that_no_backend_is_for_is_refused_with_a_list_of_those_that_are_there(url: str) -> None:
    with pytest.raises(SettingsError, match=r"memory://, .*sqlite://") as refusal:
        open_storage(url)
    assert repr(url) in str(refusal.value)


def test_a_password_in_a_url_is_never_shown() -> None:
    with pytest.raises(SettingsError, match=r"mongodb://me:\*\*\*@host:1/db\?x=y") as refusal:
        open_storage("mongodb://me:se@cr:et@host:1/db?x=y")
    assert "cr" not in str(refusal.value).partition("installed")[0]


def test_a_backend_that_cannot_be_imported_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("gadget", "maestro_flow_gadget_that_is_missing:open_it", module.BACKENDS)
    monkeypatch.setattr(module, "entry_points", lambda group: [broken])
    with pytest.raises(PluginError, match=r"maestro-flow\[gadget\]"):
        open_storage("gadget://host")


def test_a_store_in_memory_needs_no_database_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core knows no SQL: what cannot be imported is not asked for."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("sqlalchemy", "maestro_flow_sql")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    open_storage("memory://").close()
