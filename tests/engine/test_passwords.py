"""A password in the URL of a store that works: it is in no ``repr`` and in no record of any logger."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from maestro_flow import Client, Engine, Workflow
from tests.servers.postgres import Server as PostgresServer
from tests.servers.redis import Server as RedisServer


@pytest.fixture(params=["postgresql", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    """With the password that the server wants, or with any, where it asks nobody for one."""
    if request.param == "redis":
        redis: RedisServer = request.getfixturevalue("redis_server")
        plain, user = redis.url(request.getfixturevalue("namespace")), "default"
    else:
        postgres: PostgresServer = request.getfixturevalue("postgres")
        plain, user = postgres.url(request.getfixturevalue("schema")), ""
    parts = urlsplit(plain)
    login = f"{parts.username or user}:{parts.password or 'hunter2'}"
    return plain.replace(parts.netloc, f"{login}@{parts.netloc.rpartition('@')[2]}", 1)


def within(thing: object) -> Iterator[object]:
    """The objects that an object of ours holds, and so on; bare values are left out: somewhere the password must be."""
    found, seen = [thing], set[int]()
    while found:
        one = found.pop()
        if id(one) not in seen and type(one).__module__ != "builtins":
            seen.add(id(one))
            yield one
            if type(one).__module__.startswith("maestro_flow"):
                names = [name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ())]
                found += [getattr(one, name, None) for name in {*names, *getattr(one, "__dict__", ())}]


def test_a_password_is_in_no_repr_and_in_no_log(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    workflow = Workflow("small")
    workflow.step(id="only")(lambda: 1)
    with Engine(url) as engine, Client(url) as client:
        run = engine.run(workflow, timeout_s=60)
        things = [*within(engine), client, run]
        shown = "\n".join([*map(repr, things), caplog.text])
    assert "claimed" in shown
    assert {"Target", "Engine", "Node"} <= {type(thing).__name__ for thing in things}
    password = urlsplit(url).password
    # Not the bare word: that of a server which somebody named may be a name of other things too.
    assert [
        form for form in (f":{password}@", f"password={password}", f"password': '{password}") if form in shown
    ] == []
