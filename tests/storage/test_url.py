"""URLs of stores: what is refused before a backend sees it, namespaces, and that no password is ever shown."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_flow.errors import MaestroFlowError, SettingsError
from maestro_flow.storage.open import open_storage
from maestro_flow.storage.url import in_namespace, namespace_of, split_url, without_password

SECRET = "hunter2"

LEAKS = [
    "postgresql://u:hunter2@127.0.0.1:1/db",
    "postgresql://u:hunter2@127.0.0.1:1/db?prepare=perhaps",
    "postgresql://u:p@127.0.0.1:1/db?password=hunter2",
    "postgresql://127.0.0.1:1/db?user=u&password=hunter2",
    "postgresql://127.0.0.1:1/db?PASSWORD=hunter2&namespace=nightly",
    "postgresql://127.0.0.1:1/db?sslpassword=hunter2@home",
    "postgresql://u:hunter2@127.0.0.1:port/db",
    "postgresql://u:hunter2",
    "postgresql://u:hunter2/db",
    "postgresql:///u:hunter2@127.0.0.1:1/db",
    "postgresql:///u:hunter2@db",
    "POSTGRESQL://u:hunter2@127.0.0.1:1/db",
    "postgresql+psycopg://u:hunter2@127.0.0.1:1/db",
    "postgresql:u:hunter2@127.0.0.1:1/db",
    "postgresql//u:hunter2@127.0.0.1:1/db",
    "jdbc:postgresql://127.0.0.1:1/db?user=u&password=hunter2",
    "host=127.0.0.1 port=1 user=u password=hunter2 dbname=db",
    "u:hunter2@127.0.0.1:1/db",
    " postgresql://u:hunter2@127.0.0.1:1/db",
    "postgresql://u:hunter2@127.0.0.1:1/db\n",
    "postgresql://u:hunter2@127.0.0.1:1,127.0.0.2:1/db",
    "postgresql://u:hunter2℀@127.0.0.1:1/db",
    "redis://:hunter2@127.0.0.1:1",
    "redis://:hunter2@127.0.0.1:1/nightly",
    "redis://:hunter2@127.0.0.1:1/0?namespace=Nightly",
    "redis://:hunter2",
    "redis://127.0.0.1:1/0?password=hunter2",
    "rediss://u:hunter2@127.0.0.1:1/0?password=x",
    "http://[hunter2",
    "http://u:p@[hunter2/db",
    "sqlite://u:hunter2@127.0.0.1:1/runs.db",
    "sqlite:///runs.db?password=hunter2",
    "memory://u:hunter2@127.0.0.1:1/db",
    "mongodb://u:hunter2@127.0.0.1:1/db?tls=true#hunter2",
]


def what_is_said_of(url: str) -> str:
    """The error of opening, or of an attempt to, as it is printed and logged: with all that it comes from."""
    with pytest.raises(MaestroFlowError) as refusal:
        open_storage(url).close()
    return "".join(traceback.format_exception(refusal.value)) + repr(refusal.value)


@pytest.mark.parametrize("url", LEAKS)
def test_no_error_of_opening_shows_a_password(url: str) -> None:
    assert SECRET not in what_is_said_of(url)


@pytest.mark.parametrize("url", LEAKS)
def test_a_url_is_shown_without_its_password(url: str) -> None:
    assert SECRET not in without_password(url)


JUNK = st.lists(st.text("@/?#:[]%&=;,\\ aé\n9", max_size=3), min_size=2, max_size=5)


@pytest.mark.parametrize("scheme", ["postgresql", "redis", "mongodb"])
@given(junk=JUNK)
@settings(max_examples=200, deadline=None)
def test_a_password_that_was_not_escaped_is_hidden_whatever_it_contains(scheme: str, junk: list[str]) -> None:
    assert without_password(f"{scheme}://user:{SECRET.join(junk)}@host:1/db") == f"{scheme}://user:***@host:1/db"


@given(junk=JUNK)
@settings(max_examples=100, deadline=None)
def test_an_error_of_opening_does_not_show_it_either(junk: list[str]) -> None:
    assert SECRET not in what_is_said_of(f"redis://:{SECRET.join(junk)}@127.0.0.1:1/nightly")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///runs.db", "sqlite:///runs.db"),
        ("sqlite:////srv/me@work/runs.db?namespace=nightly", "sqlite:////srv/me@work/runs.db?namespace=nightly"),
        ("memory://", "memory://"),
        ("postgresql://me:secret@host:5432/db", "postgresql://me:***@host:5432/db"),
        ("postgresql://me@/db?host=/run/postgresql", "postgresql://me@/db?host=***"),
        ("postgresql://me:se@cr:et@host/db", "postgresql://me:***@host/db"),
        ("redis://:secret@[::1]:6379/0?namespace=nightly", "redis://:***@[::1]:6379/0?namespace=nightly"),
        ("mystore://host?token=secret&namespace=x&mode=fast", "mystore://host?token=***&namespace=x&mode=***"),
        ("mystore://host?namespace=Secret", "mystore://host?namespace=***"),
        ("runs.db", "runs.db"),
        ("/srv/runs.db", "/srv/runs.db"),
        ("", ""),
    ],
)
def test_what_can_be_shown_is_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


@pytest.mark.parametrize("character", "/?#[")
def test_a_password_that_was_not_escaped_is_refused_with_advice(character: str) -> None:
    with pytest.raises(SettingsError, match="is %23, @ is %40") as refusal:
        split_url(f"redis://:12{character}34@host")
    assert "34" not in str(refusal.value)


@pytest.mark.parametrize(
    "url", ["redis://:p%2F%3F%23%40@host", "redis://:a@b:c@host", "sqlite:////srv/me@work/runs.db"]
)
def test_what_cannot_be_misunderstood_is_accepted(url: str) -> None:
    assert split_url(url).geturl()


def test_the_namespace_of_a_url_is_its_option() -> None:
    assert namespace_of("redis://host/0?allow_volatile=true&namespace=nightly_2") == "nightly_2"
    assert namespace_of("redis://host/0?namespace=a&namespace=a") == "a"
    assert namespace_of("redis://host/0") is None


@pytest.mark.parametrize("name", ["", "Nightly", "2nd", "_x", "a-b", "a.b", "a b", "ä", "a\n", "a" * 41])
def test_a_namespace_has_a_pattern(name: str) -> None:
    with pytest.raises(SettingsError, match="lower-case letter"):
        in_namespace("memory://", name)
    with pytest.raises(SettingsError, match="lower-case letter"):
        namespace_of(f"memory://?namespace={name}".replace("\n", "%0A"))


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("sqlite:///runs.db", "sqlite:///runs.db?namespace=nightly"),
        ("memory://", "memory://?namespace=nightly"),
        ("redis://:p@h/0?allow_volatile=true", "redis://:p@h/0?allow_volatile=true&namespace=nightly"),
        ("redis://:p@h/0?namespace=nightly", "redis://:p@h/0?namespace=nightly"),
        ("mystore://h#x", "mystore://h?namespace=nightly#x"),
    ],
)
def test_a_namespace_becomes_an_option_of_the_url(url: str, whole: str) -> None:
    assert in_namespace(url, "nightly") == whole
    assert in_namespace(url, None) == url
    assert namespace_of(whole) == "nightly"


def test_two_namespaces_are_a_contradiction() -> None:
    with pytest.raises(SettingsError, match="'hourly', but MAESTRO_FLOW_NAMESPACE is 'nightly'"):
        in_namespace("redis://h/0?namespace=hourly", "nightly", said_by="MAESTRO_FLOW_NAMESPACE")
    with pytest.raises(SettingsError, match="several namespaces"):
        namespace_of("redis://h/0?namespace=hourly&namespace=nightly")
