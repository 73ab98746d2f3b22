"""What a URL ``redis://user:password@host:port/db?namespace=...`` asks for. The password is never shown."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import field, frozen

from maestro_flow.errors import SettingsError

__all__ = ["Target"]

_OPTIONS = {
    "namespace": re.compile(r"[A-Za-z0-9_.-]{1,64}"),
    "allow_volatile": re.compile("true|false"),
    "ssl_ca_certs": re.compile(".+"),
    "ssl_certfile": re.compile(".+"),
    "ssl_keyfile": re.compile(".+"),
}
_PORT = 6379
_DATABASE = re.compile(r"[0-9]{0,4}")


@frozen
class Target:
    """Where the store is. A ``namespace`` is a store of its own beside others in one database."""

    name: str
    """As it may be shown: without the password."""
    parameters: dict[str, Any] = field(repr=False)
    """Of ``redis.Redis``."""
    namespace: str
    allow_volatile: bool

    @classmethod
    def of(cls, url: str) -> Target:
        """Raises SettingsError: the URL is none of Redis, or has an option that there is not."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "localhost", parts.port or _PORT
        except ValueError:
            raise SettingsError("a Redis URL has a port that is no number") from None
        database = parts.path.removeprefix("/")
        if not _DATABASE.fullmatch(database):
            raise SettingsError(
                f"a Redis URL ends with the number of a database, as in redis://host:6379/0, not with {database!r}"
            )
        options = _options(parts.query)
        parameters: dict[str, Any] = {"host": host, "port": port, "db": int(database or 0)}
        for name, value in (("username", parts.username), ("password", parts.password)):
            if value:
                parameters[name] = unquote(value)
        tls = {name: value for name, value in options.items() if name.startswith("ssl_")}
        if parts.scheme == "rediss":
            parameters |= {"ssl": True, **tls}
        elif tls:
            raise SettingsError(f"options {', '.join(sorted(tls))} of a Redis URL are for rediss://")
        namespace = options.get("namespace", "maestro_flow")
        return cls(
            name=f"{parts.scheme}://{host}:{port}/{parameters['db']} (namespace {namespace})",
            parameters=parameters,
            namespace=namespace,
            allow_volatile=options.get("allow_volatile") == "true",
        )


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = options.keys() - _OPTIONS.keys()
    if unknown:
        raise SettingsError(
            f"a Redis URL has no option {', '.join(sorted(unknown))}; known: {', '.join(sorted(_OPTIONS))}"
        )
    for name, value in options.items():
        if not _OPTIONS[name].fullmatch(value):
            raise SettingsError(f"option {name}={value!r} of a Redis URL: expected {_OPTIONS[name].pattern}")
    return options
