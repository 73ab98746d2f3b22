"""The settings in a URL ``redis://user:password@host:port/db?namespace=...``. The password is never shown."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, unquote

from attrs import field, frozen

from maestro_flow.errors import SettingsError
from maestro_flow.storage.url import DEFAULT_NAMESPACE, namespace_of, split_url, without_password

__all__ = ["Target"]

_OPTIONS = {
    "namespace": re.compile(".*"),  # checked by namespace_of
    "allow_volatile": re.compile("true|false"),
    "ssl_ca_certs": re.compile(".+"),
    "ssl_certfile": re.compile(".+"),
    "ssl_keyfile": re.compile(".+"),
}
_PORT = 6379
_DATABASE = re.compile(r"[0-9]{0,4}")


@frozen
class Target:
    """Where the store is. A ``namespace`` is a separate store beside others in one database."""

    name: str
    """As it may be shown: without the password."""
    parameters: dict[str, Any] = field(repr=False)
    """Arguments of ``redis.Connection``, or of ``redis.SSLConnection`` if ``is_tls``."""
    is_tls: bool
    namespace: str
    """A part of every key, between braces; safe there."""
    allow_volatile: bool

    @classmethod
    def of(cls, url: str) -> Target:
        """Raises SettingsError: the URL is not one of Redis, or has an unknown option."""
        parts, shown = split_url(url), without_password(url)
        try:
            host, port = parts.hostname or "localhost", parts.port or _PORT
        except ValueError:
            raise SettingsError(f"the URL {shown!r} has a port that is not a number") from None
        database = parts.path.removeprefix("/")
        if not _DATABASE.fullmatch(database):
            raise SettingsError(f"the URL {shown!r} must end with the number of a database, as in redis://host:6379/0")
        options = _options(parts.query)
        parameters: dict[str, Any] = {"host": unquote(host), "port": port, "db": int(database or 0)}
        for name, value in (("username", parts.username), ("password", parts.password)):
            if value:
                parameters[name] = unquote(value)
        tls = {name: value for name, value in options.items() if name.startswith("ssl_")}
        is_tls = parts.scheme == "rediss"
        if tls and not is_tls:
            raise SettingsError(f"options {', '.join(sorted(tls))} of a Redis URL are for rediss://")
        namespace = namespace_of(url) or DEFAULT_NAMESPACE
        return cls(
            name=f"{parts.scheme}://{host}:{port}/{parameters['db']} (namespace {namespace})",
            parameters=parameters | tls | ({"ssl_check_hostname": True} if is_tls else {}),
            is_tls=is_tls,
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
