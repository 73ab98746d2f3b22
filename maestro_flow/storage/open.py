"""From a URL to a store: the scheme names an entry point of the group ``maestro_flow.backends``."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from urllib.parse import urlsplit, urlunsplit

from maestro_flow.clock import Clock, SystemClock
from maestro_flow.errors import PluginError, SettingsError
from maestro_flow.storage.protocol import Storage

__all__ = ["BACKENDS", "Opener", "open_storage", "without_password"]

BACKENDS = "maestro_flow.backends"
"""Entry-point group; the name is the URL's scheme, the object an ``Opener``."""

Opener = Callable[[str, Clock], Storage]
"""Opens (and creates, where it is missing) the store of a URL; the clock serves stores that have none of their own.

Raises StorageUnusable, SchemaMismatch, StorageUnavailable or SettingsError.
"""


def open_storage(url: str, clock: Clock | None = None) -> Storage:
    """Open the store of a URL such as ``sqlite:///runs.db`` (relative), ``sqlite:////srv/runs.db`` or ``memory://``.

    Raises:
        SettingsError: the URL has no scheme, or none that a backend is installed for.
        PluginError: the backend cannot be imported.
        StorageUnusable, SchemaMismatch, StorageUnavailable: the store cannot be used as it is.
    """
    scheme = urlsplit(url).scheme
    found = {entry.name: entry for entry in entry_points(group=BACKENDS)}
    if scheme not in found:
        known = ", ".join(f"{name}://" for name in sorted(found)) or "none"
        raise SettingsError(f"no storage backend for the URL {without_password(url)!r}; installed: {known}")
    try:
        opener: Opener = found[scheme].load()
    except ImportError as error:
        raise PluginError(
            f"the storage backend for {scheme}:// cannot be imported ({error}); "
            f"try: pip install 'maestro-flow[{scheme}]'"
        ) from error
    return opener(url, clock or SystemClock())


def without_password(url: str) -> str:
    """The URL as it may be shown: a password in it is three stars."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    return url if not colon else urlunsplit(parts._replace(netloc=f"{name}:***{at}{host}"))
