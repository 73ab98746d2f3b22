"""Where settings come from: a keyword, the environment, ``maestro-flow.toml``, a default; each by itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from maestro_flow import Client, Engine
from maestro_flow.config.configuration import Configuration
from maestro_flow.config.settings import Settings
from maestro_flow.errors import SettingsError
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.testing import ManualClock

SECRET = "hunter2"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the test, where a file is looked for as users have it."""
    monkeypatch.delenv("MAESTRO_FLOW_CONFIG")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str, name: str = "maestro-flow.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(**environment: str) -> str:
    """What is said of a configuration that must be refused."""
    with pytest.raises(SettingsError) as refused:
        Configuration.read(environment)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    return str(refused.value)


# -- the order ------------------------------------------------------------------------------------------------------


def test_a_keyword_goes_before_the_environment_that_before_the_file_and_that_before_the_default(folder: Path) -> None:
    write(folder, "batch_max = 1\nlease_s = 2.0\nexecutor_threads = 3\n")
    configuration = Configuration.read({"MAESTRO_FLOW_LEASE_S": "3.5", "MAESTRO_FLOW_BATCH_MAX": "7"})
    settings = configuration.settings({"batch_max": 9})
    assert (settings.batch_max, settings.lease_s, settings.executor_threads, settings.scan_s) == (9, 3.5, 3, 1.0)


def test_so_it_is_for_the_store_and_the_namespace_each_by_itself(folder: Path) -> None:
    write(folder, 'store = "redis://file"\nnamespace = "of_file"\n')
    variables = {"MAESTRO_FLOW_STORE": "redis://variable", "MAESTRO_FLOW_NAMESPACE": "of_variable"}
    assert Configuration.read(variables).store_url("redis://given", "given") == "redis://given?namespace=given"
    assert Configuration.read(variables).store_url(None, None) == "redis://variable?namespace=of_variable"
    del variables["MAESTRO_FLOW_STORE"]
    assert Configuration.read(variables).store_url(None, None) == "redis://file?namespace=of_variable"
    assert Configuration.read({}).store_url("redis://given", None) == "redis://given?namespace=of_file"
    assert Configuration.read({}).store_url(None, None, default="redis://default") == "redis://file?namespace=of_file"
    (folder / "maestro-flow.toml").unlink()
    assert Configuration.read({}).store_url(None, None, default="redis://default") == "redis://default"


def test_without_a_store_all_three_ways_to_name_one_are_told(folder: Path) -> None:
    for opened in (Client, Engine):
        with pytest.raises(SettingsError, match=r"sqlite:///runs\.db.*MAESTRO_FLOW_STORE.*maestro-flow\.toml"):
            opened()


def test_two_namespaces_are_refused_with_the_place_of_the_second(folder: Path) -> None:
    write(folder, 'namespace = "nightly"\n')
    with pytest.raises(SettingsError, match=r"'hourly', but maestro-flow\.toml: namespace is 'nightly'"):
        Configuration.read({}).store_url("redis://host?namespace=hourly", None)
    with pytest.raises(SettingsError, match="'hourly', but MAESTRO_FLOW_NAMESPACE is 'daily'"):
        Configuration.read({"MAESTRO_FLOW_NAMESPACE": "daily"}).store_url("redis://host?namespace=hourly", None)
    with pytest.raises(SettingsError, match="'hourly', but namespace is 'daily'"):
        Configuration.read({}).store_url("redis://host?namespace=hourly", "daily")


def test_a_client_and_an_engine_find_their_store_and_their_settings_in_the_file(folder: Path) -> None:
    write(folder, 'store = "sqlite:///runs.db"\nexecutor_threads = 2\nruntime = "threaded"\n')
    with Engine() as engine, Client() as client:
        assert client.runs() == engine.runs() == []
        assert (engine._node._settings.executor_threads, engine._node._settings.runtime) == (2, "threaded")
    assert (folder / "runs.db").exists()


def test_an_open_store_needs_no_url_and_takes_no_namespace(folder: Path) -> None:
    write(folder, 'store = "redis://127.0.0.1:1"\nnamespace = "nightly"\n')
    store = MemoryStorage(ManualClock())
    assert Client(store).storage is store
    with pytest.raises(SettingsError, match="namespace='nightly'"):
        Client(store, namespace="nightly")


def test_an_engine_in_a_namespace(folder: Path) -> None:
    with Engine("memory://", namespace="nightly") as engine:
        assert engine.unfinished() == []


# -- the environment ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        ("LEASE_S", "soon", "='soon': expected a number"),
        ("LEASE_S", "", "='': expected a number"),
        ("LEASE_S", "0", "=0.0: must be at least 0.1"),
        ("LEASE_S", "inf", "=inf: must be at least 0.1 and at most 1,000,000,000"),
        ("BATCH_MAX", "1.5", "='1.5': expected a whole number"),
        ("RUNTIME", "greenlets", "='greenlets': expected pooled or threaded"),
        ("STORE", "", ": expected the URL of a store"),
        ("NAMESPACE", "", "='': expected a lower-case letter"),
        ("NAMESPACE", "Nightly", "='Nightly': expected a lower-case letter"),
    ],
)
def test_an_illegal_text_in_the_environment_names_the_variable(
    folder: Path, variable: str, text: str, problem: str
) -> None:
    assert refusal(**{f"MAESTRO_FLOW_{variable}": text}).startswith(f"MAESTRO_FLOW_{variable}{problem}")


def test_variables_of_others_are_none_of_our_business(folder: Path) -> None:
    read = Configuration.read({"MAESTRO_FLOW_PORT": "tcp://10.0.0.1:80", "MAESTRO_FLOW_STORE_SERVICE_HOST": "10.0.0.1"})
    assert read.settings({}) == Settings()
    with pytest.raises(SettingsError, match="no store"):
        read.store_url(None, None)


# -- the tables of plugins ------------------------------------------------------------------------------------------


def test_tables_of_plugins_are_merged_key_by_key(folder: Path) -> None:
    write(
        folder,
        "[step_types.Sql]\nurl = 'of_file'\nrows = 5\n[step_types.Http]\nhosts = ['a']\n[executors.ray]\ncpus = 2",
    )
    variables = {"MAESTRO_FLOW_STEP_TYPES": '{"Sql": {"url": "of_variable", "user": "eve"}}'}
    settings = Configuration.read(variables).settings({"step_types": {"Sql": {"user": "ann"}, "Mail": {"port": 25}}})
    assert settings.step_types == {
        "Sql": {"url": "of_variable", "rows": 5, "user": "ann"},
        "Http": {"hosts": ["a"]},
        "Mail": {"port": 25},
    }
    assert settings.executors == {"ray": {"cpus": 2}}
    assert Configuration.read({}).settings({}).step_types["Sql"] == {"url": "of_file", "rows": 5}


@pytest.mark.parametrize("text", ["{", "[1]", '{"Sql": "hunter2"}', '"hunter2"', "[" * 100_000])
def test_a_value_that_is_not_a_table_is_refused_and_not_shown(folder: Path, text: str) -> None:
    problem = "expected a table for each name, with settings in it"
    assert refusal(MAESTRO_FLOW_STEP_TYPES=text) == f"MAESTRO_FLOW_STEP_TYPES: {problem}"
    with pytest.raises(SettingsError, match=f"^setting executors: {problem}$"):
        Configuration.read({}).settings({"executors": {"ray": SECRET}})


def test_settings_of_plugins_are_not_shown(folder: Path) -> None:
    settings = Configuration.read({}).settings({"step_types": {"Sql": {"password": SECRET}}})
    assert SECRET not in repr(settings)


# -- the file -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("leese_s = 1", "there is no setting 'leese_s'; known: announce_s, batch_max"),
        ("[store]\nurl = 'redis://host'", "store: expected the URL of a store, as text"),
        ("[maestro]\nlease_s = 1", "there is no setting 'maestro'"),
        ("lease_s = '1.0'", "lease_s='1.0': expected a number"),
        ("lease_s = true", "lease_s=True: expected a number"),
        ("lease_s = [1.0]", "lease_s=[1.0]: expected a number"),
        ("lease_s = nan", "lease_s=nan: must be at least 0.1"),
        ("batch_max = 1.0", "batch_max=1.0: expected a whole number"),
        ("batch_max = false", "batch_max=False: expected a whole number"),
        ("batch_max = 0", "batch_max=0: must be at least 1"),
        ("runtime = 1", "runtime=1: expected a text"),
        ("store = 1", "store: expected the URL of a store, as text"),
        ("store = ''", "store: expected the URL of a store, as text"),
        ("namespace = 1", "namespace=1: expected a lower-case letter"),
        ("namespace = 'Nightly'", "namespace='Nightly': expected a lower-case letter"),
        ("lease_s 1", "Expected '=' after a key in a key/value pair (at line 2, column 9)"),
        ("lease_s = 1\nlease_s = 2", "Cannot overwrite a value"),
        ("x = " + "[" * 100_000, "the file is nested too deep"),
        ("#" * (1024 * 1024 + 1), "the file is larger than 1,048,576 bytes"),
        ("batch_max = " + "1" * 5000, "Exceeds the limit"),
    ],
)
def test_what_is_wrong_in_a_file_names_the_file_and_the_key(folder: Path, line: str, problem: str) -> None:
    write(folder, f"scan_s = 1\n{line}\n")
    assert refusal().startswith(f"maestro-flow.toml: {problem}")


def test_a_file_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / "maestro-flow.toml").write_bytes(b"store = '\xff'")
    assert refusal() == "maestro-flow.toml: the file is not UTF-8 text"


def test_a_file_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / "maestro-flow.toml").mkdir()
    assert refusal() == "maestro-flow.toml: the file cannot be read: Is a directory"


def test_a_byte_order_mark_does_no_harm(folder: Path) -> None:
    write(folder, "\ufefflease_s = 2")
    assert Configuration.read({}).settings({}).lease_s == 2


def test_the_file_that_a_variable_names_is_read_and_no_other(folder: Path) -> None:
    write(folder, "lease_s = 2")
    other = write(folder, "scan_s = 3", "other.toml")
    settings = Configuration.read({"MAESTRO_FLOW_CONFIG": str(other)}).settings({})
    assert (settings.lease_s, settings.scan_s) == (10.0, 3)
    assert Configuration.read({"MAESTRO_FLOW_CONFIG": os.devnull}).settings({}).lease_s == 10.0


@pytest.mark.parametrize("name", ["nowhere.toml", ""])
def test_a_file_that_a_variable_names_must_exist(folder: Path, name: str) -> None:
    assert refusal(MAESTRO_FLOW_CONFIG=name).startswith(f"{Path(name)}: the file cannot be read")


def test_an_unknown_keyword_is_refused(folder: Path) -> None:
    for name in ("leese_s", "store", "namespace"):
        with pytest.raises(SettingsError, match=f"there is no setting '{name}'; known: announce_s"):
            Configuration.read({}).settings({name: 1})


@pytest.mark.parametrize(
    "text",
    [
        f'store = "postgresql://u:{SECRET}@h/db" x',
        f"store = postgresql://u:{SECRET}@h/db",
        f'store = "postgresql://u:{SECRET}@h/db',
        f'store = ["postgresql://u:{SECRET}@h/db"]',
        f'store = {{url = "postgresql://u:{SECRET}@h/db"}}',
        f'[store]\nurl = "postgresql://u:{SECRET}@h/db"',
        f'stoer = "postgresql://u:{SECRET}@h/db"',
        f'password = "{SECRET}"',
        f'store = "postgresql://u:{SECRET}\\q@h/db"',
        f'store = "postgresql://u:{SECRET}@h/db"\nstore = "redis://:{SECRET}@h"',
        f'store = "postgresql://u:{SECRET}@h/db"\nlease_s = "soon"',
    ],
)
def test_a_password_in_a_file_that_is_refused_is_not_shown(folder: Path, text: str) -> None:
    write(folder, text)
    assert SECRET not in refusal()


def test_a_configuration_does_not_show_its_store(folder: Path) -> None:
    write(folder, f'store = "postgresql://u:{SECRET}@h/db"')
    configuration = Configuration.read({})
    found: Any = configuration._found
    assert SECRET not in f"{configuration!r} {found!r}"
