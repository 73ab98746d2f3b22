"""URLs of stores: checks before a backend sees one, its namespace, and how it may be shown."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, urlsplit

from maestro_flow.errors import SettingsError

__all__ = ["DEFAULT_NAMESPACE", "in_namespace", "namespace_of", "namespace_problem", "split_url", "without_password"]

DEFAULT_NAMESPACE = "maestro_flow"
"""The namespace of a URL that names none."""

_NAMESPACE = re.compile(r"[a-z][a-z0-9_]{0,39}")

_HIDDEN = "***"
_WITH_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_LOGIN = re.compile(r"(?P<user>[^:?#&=]*)(?P<password>:.*)?", re.DOTALL)
_PLACE = re.compile(
    r"(?P<host>(?:\[[^][/?#]*\]|[^][:/?#]+)(?::[0-9]{0,5})?)?(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?P<fragment>#.*)?",
    re.DOTALL,
)


def split_url(url: str) -> SplitResult:
    """The parts of a URL.

    Raises:
        SettingsError: it cannot be split, or not as intended: a password that is not escaped ends at the first ``/``,
            ``?`` or ``#`` in it, and the rest would be taken for a path or an option, and be shown.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # its text may quote a part of the password
        raise SettingsError(f"the URL {without_password(url)!r} cannot be read; {_ADVICE}") from None
    before, at, _ = (parts.path + parts.query + parts.fragment).rpartition("@")
    if at and (parts.netloc or ":" in before):
        raise SettingsError(f"the URL {without_password(url)!r} has an @ after its host; {_ADVICE}")
    return parts


_ADVICE = (
    "write special characters of a user, a password or an option as % and two digits: "
    "/ is %2F, ? is %3F, # is %23, @ is %40, [ is %5B"
)


def namespace_problem(value: object) -> str:
    """What is wrong with the name of a namespace; empty if it is valid."""
    if isinstance(value, str) and _NAMESPACE.fullmatch(value):
        return ""
    return "expected a lower-case letter, then at most 39 of a-z, 0-9 and _"


def namespace_of(url: str) -> str | None:
    """The option ``namespace`` of a URL; None where there is none, which means ``DEFAULT_NAMESPACE``.

    Raises:
        SettingsError: it is not a legal name, or there are several.
    """
    named = [value for name, value in parse_qsl(split_url(url).query, keep_blank_values=True) if name == "namespace"]
    if len(set(named)) > 1:
        raise SettingsError(f"the URL {without_password(url)!r} names several namespaces")
    if named and (problem := namespace_problem(named[0])):
        raise SettingsError(f"option namespace={named[0]!r} of the URL {without_password(url)!r}: {problem}")
    return named[0] if named else None


def in_namespace(url: str, namespace: str | None, *, said_by: str = "namespace") -> str:
    """The URL with this namespace in its options; unchanged for None. ``said_by`` names the setting in messages.

    Raises:
        SettingsError: no legal name, or the URL names another one.
    """
    named = namespace_of(url)
    if namespace is None:
        return url
    if problem := namespace_problem(namespace):
        raise SettingsError(f"{said_by}={namespace!r}: {problem}")
    if named is None:
        address, hash_sign, fragment = url.partition("#")
        return f"{address}{'&' if '?' in address else '?'}namespace={namespace}{hash_sign}{fragment}"
    if named != namespace:
        raise SettingsError(f"the URL names the namespace {named!r}, but {said_by} is {namespace!r}: leave out one")
    return url


def without_password(url: str) -> str:
    """The URL in a form that may be shown: possible secrets, even in a malformed URL, are replaced by three stars.

    Shown are the scheme, user, host, port and path, and the names of options; of their values only the namespace.
    A password ends at the last ``@``, whatever it contains, so that an unescaped one is hidden completely.
    """
    whole = _WITH_SCHEME.fullmatch(url)
    if whole is None:  # no URL: a file's name, or what a user takes for an address, such as a libpq string
        return _HIDDEN if re.search("[:@=#]", url.partition("?")[0]) else _shown_place(url)
    login, at, place = whole["rest"].rpartition("@")
    return whole["scheme"] + (_shown_login(login) + at if at else "") + _shown_place(place)


def _shown_login(login: str) -> str:
    parts = _LOGIN.fullmatch(login)
    if parts is None:
        return _HIDDEN
    return parts["user"] if parts["password"] is None else f"{parts['user']}:{_HIDDEN}"


def _shown_place(place: str) -> str:
    """A port that is not a number is where somebody has written a password and forgotten the host."""
    parts = _PLACE.fullmatch(place)
    if parts is None:
        return _HIDDEN
    options = "&".join(map(_shown_option, (parts["query"] or "").split("&")))
    return "".join(
        (
            parts["host"] or "",
            parts["path"] or "",
            f"?{options}" if parts["query"] else "",
            f"#{_HIDDEN}" if parts["fragment"] else "",
        )
    )


def _shown_option(option: str) -> str:
    name, equals, value = option.partition("=")
    if not (equals and name.isidentifier()):
        return _HIDDEN
    return option if name == "namespace" and not namespace_problem(value) else f"{name}={_HIDDEN}"
