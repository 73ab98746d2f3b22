"""From a URL to a store."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint, requires
from pathlib import Path

import pytest
from maestro_flow_sql.sqlite.storage import SqliteStorage

from maestro_flow.clock import Clock, ManualClock
from maestro_flow.errors import PluginError, SettingsError, StorageUnusable
from maestro_flow.storage import open as module
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.storage.open import open_storage
from maestro_flow.storage.protocol import Storage


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


@pytest.mark.parametrize("url", ["", "runs.db", "/srv/runs.db", "mongodb://host/db"])
def test_a_url_that_no_backend_is_for_is_refused_with_a_list_of_those_that_are_there(url: str) -> None:
    with pytest.raises(SettingsError, match=r"memory://, .*sqlite://") as refusal:
        open_storage(url)
    assert repr(url) in str(refusal.value)


def test_a_namespace_reaches_the_backend_in_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def open_gadget(url: str, clock: Clock, *, create: bool) -> Storage:
        seen.append(url)
        assert create
        return MemoryStorage(clock)

    gadget = EntryPoint("gadget", "gadget:open_it", module.BACKENDS)
    monkeypatch.setattr(EntryPoint, "load", lambda _entry: open_gadget)
    monkeypatch.setattr(module, "entry_points", lambda group: [gadget])
    open_storage("gadget://host")
    open_storage("gadget://host?speed=9", namespace="nightly")
    open_storage("gadget://host?namespace=nightly")
    assert seen == ["gadget://host", "gadget://host?speed=9&namespace=nightly", "gadget://host?namespace=nightly"]


def test_a_store_in_memory_is_never_there_already() -> None:
    with pytest.raises(StorageUnusable, match="there is no store memory://"):
        open_storage("memory://", create=False)


def test_a_store_in_memory_takes_any_namespace() -> None:
    open_storage("memory://?namespace=nightly").close()
    open_storage("memory://", namespace="nightly").close()


@pytest.mark.parametrize(("url", "namespace"), [("memory://?namespace=a", "b"), ("memory://", "B")])
def test_a_wrong_namespace_is_refused_before_a_backend_sees_it(url: str, namespace: str) -> None:
    with pytest.raises(SettingsError, match="namespace"):
        open_storage(url, namespace=namespace)


@pytest.mark.parametrize(
    ("scheme", "driver"), [("postgres", "psycopg"), ("postgresql", "psycopg"), ("redis", "redis"), ("rediss", "redis")]
)
def test_a_missing_driver_says_which_extra_to_install(scheme: str, driver: str) -> None:
    """In a process of its own, which has never imported the driver; the extra must be one that we have."""
    program = (
        f"import sys; sys.modules[{driver!r}] = None\n"
        "from maestro_flow import MaestroFlowError, open_storage\n"
        f"try:\n    open_storage('{scheme}://me:hunter2@127.0.0.1:1/0')\n"
        "except MaestroFlowError as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"PluginError the storage backend for {scheme}:// cannot be imported")
    assert done.stdout.endswith(f"try: pip install 'maestro-flow[{scheme}]'\n")
    needed = requires("maestro-flow") or []
    assert any(line.startswith(driver) and line.endswith(f"extra == '{scheme}'") for line in needed)
    assert "hunter2" not in done.stdout


def test_a_backend_of_others_that_cannot_be_imported_is_named_without_false_advice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = EntryPoint("gadget", "maestro_flow_gadget_that_is_missing:open_it", module.BACKENDS)
    monkeypatch.setattr(module, "entry_points", lambda group: [broken])
    with pytest.raises(PluginError, match=r"gadget://.*maestro_flow_gadget_that_is_missing") as refusal:
        open_storage("gadget://host")
    assert "pip install" not in str(refusal.value)


def test_a_backend_without_its_opener_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("gadget", "maestro_flow.storage.memory:open_gadget", module.BACKENDS)
    monkeypatch.setattr(module, "entry_points", lambda group: [broken])
    with pytest.raises(PluginError, match=r"gadget:// \(maestro_flow.storage.memory:open_gadget\)"):
        open_storage("gadget://host")


def test_a_store_in_memory_needs_no_database_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The core knows no SQL: what cannot be imported is not asked for."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("sqlalchemy", "maestro_flow_sql")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    open_storage("memory://").close()
