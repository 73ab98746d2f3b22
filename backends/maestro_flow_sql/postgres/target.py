"""The settings in a URL ``postgresql://user:password@host:port/database?options``. The password is never shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from attrs import field, frozen

from maestro_flow.errors import SettingsError
from maestro_flow.storage.url import DEFAULT_NAMESPACE, namespace_of, split_url, without_password

__all__ = ["Target"]

_OURS = {"prepare": "on or off", "allow_volatile": "true or false"}
_DRIVERS = frozenset(
    {"application_name", "channel_binding", "connect_timeout", "host", "port", "target_session_attrs"}
    | {"sslcert", "sslcrl", "sslkey", "sslmode", "sslrootcert"}
)
"""Options passed to libpq unchanged; ``host`` may be the directory of a socket."""

_DEFAULTS = {"connect_timeout": "5", "application_name": "maestro-flow"}


@frozen
class Target:
    """Where the store is, and how to talk to the server.

    ``behind_pooler``: connections are shared by transactions (PgBouncer), so nothing may stay in a session: no
    prepared statement, no setting. Then the role's own settings apply.
    """

    name: str
    """As it may be shown: without the password."""
    parameters: Mapping[str, Any] = field(repr=False)
    """Arguments of ``psycopg.connect``."""
    namespace: str
    """Name of the schema with the tables; its characters are checked, so it is safe in a statement."""
    behind_pooler: bool
    allow_volatile: bool

    @classmethod
    def of(cls, url: str) -> Target:
        """Raises SettingsError: the URL does not name a database, or has an unknown option."""
        shown = without_password(url)
        try:
            parts = split_url(url)
            given = {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password}
        except ValueError:
            raise SettingsError(f"the URL {shown!r} has a port that is not a number") from None
        database = unquote(parts.path.removeprefix("/"))
        if not database or "/" in database:
            raise SettingsError(
                f"the URL {shown!r} does not name a database: postgresql://user:password@host:port/database"
            )
        options = _options(parts.query)
        known = {name: unquote(str(value)) for name, value in given.items() if value is not None}
        drivers = {name: value for name, value in options.items() if name in _DRIVERS}
        host = drivers.get("host", known.get("host", ""))
        return cls(
            name=f"{known.get('user', '')}@{host}:{drivers.get('port', known.get('port', '5432'))}/{database}",
            parameters=_DEFAULTS | known | drivers | {"dbname": database},
            namespace=namespace_of(url) or DEFAULT_NAMESPACE,
            behind_pooler=options.get("prepare") == "off",
            allow_volatile=options.get("allow_volatile") == "true",
        )


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = options.keys() - _OURS.keys() - _DRIVERS - {"namespace"}
    if unknown:
        known = ", ".join(sorted({"namespace", *_OURS, *_DRIVERS}))
        raise SettingsError(f"a PostgreSQL URL has no option {', '.join(sorted(unknown))}; known: {known}")
    legal = {
        "prepare": options.get("prepare", "on") in ("on", "off"),
        "allow_volatile": options.get("allow_volatile", "false") in ("true", "false"),
    }
    for name, is_legal in legal.items():
        if not is_legal:
            raise SettingsError(f"option {name}={options[name]!r} of a PostgreSQL URL: expected {_OURS[name]}")
    return options
