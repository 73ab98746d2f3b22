"""Opens a store by its URL, whose scheme names an entry point of the group ``maestro_flow.backends``."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from maestro_flow.clock import Clock, SystemClock
from maestro_flow.errors import PluginError, SettingsError, StorageUnusable
from maestro_flow.storage.protocol import Storage
from maestro_flow.storage.url import in_namespace, split_url, without_password

__all__ = ["BACKENDS", "Opener", "no_store", "open_storage"]

BACKENDS = "maestro_flow.backends"
"""Entry-point group; the name is the URL's scheme, the object an ``Opener``."""


class Opener(Protocol):
    """The type of a backend's entry point."""

    def __call__(self, url: str, clock: Clock, /, *, create: bool = True) -> Storage:
        """Open the store of a URL; the clock serves stores that have none of their own.

        ``urlsplit`` can split the URL, and its option ``namespace``, if present, is a valid name. A store that does not
        exist is created; without ``create``, ``no_store`` is raised and nothing is left behind.

        Raises:
            StorageUnusable, SchemaMismatch, StorageUnavailable, SettingsError.
        """


def no_store(name: str) -> StorageUnusable:
    """The error of opening a store that is not there; the name is that of the URL, without its password."""
    return StorageUnusable(f"there is no store {name} yet: name another one, or run a workflow first")


def open_storage(url: str, clock: Clock | None = None, *, namespace: str | None = None, create: bool = True) -> Storage:
    """Open the store of a URL such as ``sqlite:///runs.db`` (relative), ``sqlite:////srv/runs.db`` or ``memory://``.

    ``namespace`` is a separate store in the same database; it may be in the URL instead (``?namespace=nightly``).
    The environment and ``maestro-flow.toml`` are not read: ``Client`` does that. A missing store is created; without
    ``create`` it is an error, as commands that only read want it.

    Raises:
        SettingsError: the URL has no scheme, or none that a backend is installed for, or cannot be read; or the
            namespace is not a legal name, or not that of the URL.
        PluginError: the backend cannot be imported.
        StorageUnusable, SchemaMismatch, StorageUnavailable: the store cannot be used as it is, or there is none.
    """
    scheme = split_url(url).scheme
    found = {entry.name: entry for entry in entry_points(group=BACKENDS)}
    if scheme not in found:
        known = ", ".join(f"{name}://" for name in sorted(found)) or "none"
        raise SettingsError(f"no storage backend for the URL {without_password(url)!r}; installed: {known}")
    address = in_namespace(url, namespace)
    return _load(found[scheme])(address, clock or SystemClock(), create=create)


def _load(entry: EntryPoint) -> Opener:
    try:
        opener: Opener = entry.load()
    except ImportError as error:
        advice = f"; try: {command}" if (command := _install_command(entry)) else ""
        raise PluginError(f"the storage backend for {entry.name}:// cannot be imported ({error}){advice}") from error
    except Exception as error:  # a backend may fail in any way; the message must name it
        raise PluginError(
            f"the storage backend for {entry.name}:// ({entry.value}) cannot be loaded: {error!r}"
        ) from error
    return opener


def _install_command(entry: EntryPoint) -> str:
    """The command that installs what a backend needs: its distribution's extra named after the scheme, if any."""
    has_extra = entry.dist is not None and entry.name in (entry.dist.metadata.get_all("Provides-Extra") or ())
    return f"pip install '{entry.dist.name}[{entry.name}]'" if entry.dist and has_extra else ""
