"""Where settings come from: a keyword or an option, else the environment, else ``maestro-flow.toml``, else a default.

Each setting is looked up separately: the store may come from the environment and the namespace from the file. A mistake
in the environment or in the file is found when they are read, whether the value is needed or not.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import field, fields, frozen

from maestro_flow.config.settings import Settings
from maestro_flow.errors import SettingsError
from maestro_flow.storage.url import in_namespace, namespace_problem

__all__ = ["CONFIG_VARIABLE", "ENVIRONMENT_PREFIX", "FILE_NAME", "Configuration"]

ENVIRONMENT_PREFIX = "MAESTRO_FLOW_"
CONFIG_VARIABLE = f"{ENVIRONMENT_PREFIX}CONFIG"
FILE_NAME = "maestro-flow.toml"

_FILE_BYTES_MAX = 1024 * 1024


def _store_problem(value: object) -> str:
    return "" if isinstance(value, str) and value else "expected the URL of a store, as text"


@frozen
class _Setting:
    """``problem`` says what is wrong with a value; the text of a variable is read as a ``kind``."""

    problem: Callable[[object], str]
    kind: Callable[[str], Any] = str
    may_be_shown: bool = True


_STORE = {
    "store": _Setting(_store_problem, may_be_shown=False),
    "namespace": _Setting(namespace_problem),
}
_TABLES = frozenset(attribute.name for attribute in fields(Settings) if "is_table" in attribute.metadata)
_OF_A_NODE = {
    attribute.name: _Setting(attribute.metadata["problem"], json.loads, may_be_shown=False)
    if attribute.name in _TABLES
    else _Setting(attribute.metadata["problem"], kind=type(attribute.default))
    for attribute in fields(Settings)
}
_KNOWN = _STORE | _OF_A_NODE


@frozen
class _Found:
    """A legal value; ``place`` is the variable, or the key in the file, that it comes from."""

    place: str
    value: Any = field(repr=False)


class Configuration:
    """The settings in the environment and in the file."""

    def __init__(self, found: Mapping[str, _Found]) -> None:
        self._found = found

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Configuration:
        """The current configuration. A file that ``MAESTRO_FLOW_CONFIG`` names must exist.

        Variables that are not settings are ignored: Kubernetes makes ``MAESTRO_FLOW_PORT`` out of a service's name.

        Raises:
            SettingsError: the file cannot be read or has an unknown key, or a value is illegal; it names the place.
        """
        in_file, in_environment = _in_file(environment), _in_environment(environment)
        for name in _TABLES & in_file.keys() & in_environment.keys():
            found = in_environment[name]
            in_environment[name] = _Found(found.place, _merged(in_file[name].value, found.value))
        return cls(in_file | in_environment)

    def settings(self, given: Mapping[str, Any]) -> Settings:
        """The settings of a node, of which some are given as keywords.

        Raises:
            SettingsError: an unknown name, or an illegal value.
        """
        for name in given:
            _check_known(name, _OF_A_NODE)
        around = {name: found.value for name, found in self._found.items() if name in _OF_A_NODE}
        checked = Settings(**{**around, **given})
        tables = _TABLES & around.keys() & given.keys()
        merged: dict[str, Any] = {name: _merged(around[name], given[name]) for name in tables}
        return Settings(**{**around, **given, **merged}) if merged else checked

    def store_url(self, given: str | None, namespace: str | None, *, default: str | None = None) -> str:
        """The URL of the store, with the namespace in its options if there is one.

        Raises:
            SettingsError: there is none, or it names another namespace, or cannot be read.
        """
        url = given if given is not None else self._value("store", default)
        if url is None:
            raise SettingsError(
                f"no store: give a URL such as sqlite:///runs.db, set {ENVIRONMENT_PREFIX}STORE, "
                f'or write store = "..." into {FILE_NAME}'
            )
        if namespace is not None or "namespace" not in self._found:
            return in_namespace(url, namespace)
        found = self._found["namespace"]
        return in_namespace(url, found.value, said_by=found.place)

    def _value(self, name: str, default: Any) -> Any:
        return self._found[name].value if name in self._found else default


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of both, merged key by key; ``above`` takes precedence."""
    return {name: {**below.get(name, {}), **above.get(name, {})} for name in {**below, **above}}


def _in_environment(environment: Mapping[str, str]) -> dict[str, _Found]:
    found = {}
    for name, setting in _KNOWN.items():
        variable = ENVIRONMENT_PREFIX + name.upper()
        if variable in environment:
            found[name] = _checked(name, _parsed(environment[variable], setting.kind), variable)
    return found


def _parsed(text: str, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(text)
    except (ValueError, RecursionError):
        return text  # the check of the setting refuses it


def _in_file(environment: Mapping[str, str]) -> dict[str, _Found]:
    named = environment.get(CONFIG_VARIABLE)
    path = Path(FILE_NAME if named is None else named)
    found = {}
    for name, value in _table(path, must_exist=named is not None).items():
        _check_known(name, _KNOWN, place=f"{path}: ")
        found[name] = _checked(name, value, f"{path}: {name}")
    return found


def _table(path: Path, *, must_exist: bool) -> dict[str, Any]:
    """The keys and values of a TOML file; empty if there is no file and none is needed."""
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES_MAX + 1)
        if len(data) <= _FILE_BYTES_MAX:
            return tomllib.loads(data.decode("utf-8-sig"))
        problem = f"the file is larger than {_FILE_BYTES_MAX:,} bytes"
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not must_exist:
            return {}
        problem = f"the file cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        problem = "the file is not UTF-8 text"
    except RecursionError:
        problem = "the file is nested too deep"
    except ValueError as error:  # from TOML, or from Python for a number with thousands of digits
        problem = str(error)
    raise SettingsError(f"{path}: {problem}")  # no cause: it would hold the text of the file, with secrets


def _check_known(name: str, known: Mapping[str, _Setting], *, place: str = "") -> None:
    if name not in known:
        raise SettingsError(f"{place}there is no setting {name!r}; known: {', '.join(sorted(known))}")


def _checked(name: str, value: Any, place: str) -> _Found:
    setting = _KNOWN[name]
    if problem := setting.problem(value):
        shown = f"={value!r}" if setting.may_be_shown else ""
        raise SettingsError(f"{place}{shown}: {problem}")
    return _Found(place, value)
