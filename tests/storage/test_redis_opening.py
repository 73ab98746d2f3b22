"""Opening a Redis store: what a URL may say, what a server must be set to, and what is never shown."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import maestro_flow_redis
import pytest
from maestro_flow_redis import open_redis
from maestro_flow_redis.target import Target

from maestro_flow.clock import SystemClock
from maestro_flow.errors import SchemaMismatch, SettingsError, StorageUnavailable, StorageUnusable
from maestro_flow.model.leases import Owner
from maestro_flow.storage.open import open_storage
from tests.servers.redis import Server, find_server

SCRIPTS = Path(maestro_flow_redis.__file__).parent / "scripts"
SETTINGS = {"appendfsync": "everysec", "maxmemory-policy": "allkeys-lru", "appendonly": "no"}


@pytest.fixture(scope="module")
def volatile() -> Iterator[Server]:
    """A server that may lose what it has acknowledged, in each of the three ways."""
    server = find_server(own=True, **SETTINGS)
    yield server
    server.stop()


@pytest.fixture
def own() -> Iterator[Server]:
    """A server that the test may set otherwise."""
    server = find_server(own=True)
    yield server
    server.stop()


def test_the_scheme_finds_the_backend(redis_server: Server, namespace: str) -> None:
    open_storage(redis_server.url(namespace)).close()


def test_two_namespaces_are_two_stores(redis_server: Server, namespace: str) -> None:
    stores = [open_redis(redis_server.url(namespace + end), SystemClock()) for end in "ab"]
    assert [store.push("w", body) for store, body in zip(stores, (b"1", b"2"), strict=True)] == [1, 1]
    assert all(len(store.claim(Owner("o"), lease_s=10, limit=64)) == 64 for store in stores)
    for store in stores:
        store.close()


def test_every_key_is_in_the_tag_of_a_group_or_of_the_catalog(redis_server: Server, namespace: str) -> None:
    store = open_redis(redis_server.url(namespace), SystemClock())
    store.push("w", b"1")
    store.claim(Owner("o"), lease_s=10, limit=64)
    with redis_server.client() as client:
        keys = [key.decode() for key in client.scan_iter(match=f"*{namespace}*", count=1000)]
    tag = re.compile(rf"\{{{namespace}:(g[0-9]+|catalog)\}}(:.*)?")
    assert [key for key in keys if not tag.fullmatch(key)] == []
    assert len(keys) > store.group_count
    store.close()


def test_a_server_that_may_lose_what_it_acknowledged_is_refused_with_what_to_set(volatile: Server) -> None:
    with pytest.raises(StorageUnusable) as refusal:
        open_redis(volatile.url("n"), SystemClock())
    for line in ("appendonly must be yes, not no", "appendfsync must be always, not everysec", "allow_volatile=true"):
        assert line in str(refusal.value)
    assert "maxmemory-policy must be noeviction, not allkeys-lru" in str(refusal.value)


def test_allow_volatile_takes_it_and_says_so_in_the_log(volatile: Server, caplog: pytest.LogCaptureFixture) -> None:
    store = open_redis(volatile.url("n", allow_volatile="true"), SystemClock())
    assert store.push("w", b"{}") == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
    store.close()


@pytest.mark.parametrize(("name", "value"), SETTINGS.items())
def test_each_of_the_settings_counts(own: Server, name: str, value: str) -> None:
    with own.client() as client:
        client.config_set(name, value)
    with pytest.raises(StorageUnusable, match=f"{name} must be"):
        open_redis(own.url("n"), SystemClock())


def test_a_server_that_hides_its_settings_is_refused_unless_it_is_accepted(own: Server) -> None:
    with own.client() as client:
        client.acl_setuser(
            "guest", enabled=True, passwords=["+pw"], categories=["+@all"], commands=["-config"], keys="*"
        )
    url = re.sub("//:[^@]*@", "//guest:pw@", own.url("n"))
    with pytest.raises(StorageUnusable, match="appendfsync must be always, not hidden"):
        open_redis(url, SystemClock())
    open_redis(f"{url}&allow_volatile=true", SystemClock()).close()


def test_a_replica_is_refused(own: Server, redis_server: Server) -> None:
    with own.client() as client:
        client.replicaof("127.0.0.1", 1)
    with pytest.raises(StorageUnusable, match="replica"):
        open_redis(own.url("n", allow_volatile="true"), SystemClock())


def test_a_server_that_became_a_replica_or_is_full_may_be_asked_again(own: Server) -> None:
    """Both are refused before the first write of a script, so the identical call is right."""
    store = open_redis(own.url("n"), SystemClock())
    with own.client() as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(StorageUnavailable):
            store.push("w", b"{}")
        client.config_set("maxmemory", 0)
        client.replicaof("127.0.0.1", 1)
        with pytest.raises(StorageUnavailable):
            store.push("w", b"{}")
        client.replicaof("NO", "ONE")
    assert store.push("w", b"{}") == 1
    store.close()


def test_a_store_of_a_newer_schema_is_refused(redis_server: Server, namespace: str) -> None:
    open_redis(redis_server.url(namespace), SystemClock()).close()
    with redis_server.client() as client:
        client.hset(f"{{{namespace}:catalog}}", mapping={"schema_version": 8, "oldest_reader": 7})
    with pytest.raises(SchemaMismatch, match="schema 8"):
        open_redis(redis_server.url(namespace), SystemClock())


def test_a_store_whose_founder_died_halfway_is_founded_to_the_end(redis_server: Server, namespace: str) -> None:
    open_redis(redis_server.url(namespace), SystemClock()).close()
    with redis_server.client() as client:
        client.hset(f"{{{namespace}:catalog}}", "is_founded", 0)
        for group_id in range(10, 64):
            client.delete(*client.scan_iter(match=f"{{{namespace}:g{group_id}}}*", count=10_000))
    store = open_redis(redis_server.url(namespace), SystemClock())
    assert len(store.claim(Owner("o"), lease_s=10, limit=64)) == 64
    store.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://:s3cret@host/zero", "number of a database"),
        ("redis://:s3cret@host:port/0", "port"),
        ("redis://:s3cret@host/0?namespace=a}b", "namespace"),
        ("redis://:s3cret@host/0?allow_volatile=yes", "allow_volatile"),
        ("redis://:s3cret@host/0?password=s3cret", "no option password"),
        ("redis://:s3cret@host/0?ssl_keyfile=k", "rediss"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused_without_its_password(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refusal:
        open_redis(url, SystemClock())
    assert "s3cret" not in str(refusal.value)


def test_tls_is_for_rediss() -> None:
    target = Target.of("rediss://host/3?ssl_ca_certs=ca.pem")
    assert target.is_tls
    checked = {"ssl_ca_certs": "ca.pem", "ssl_check_hostname": True}
    assert target.parameters == {"host": "host", "port": 6379, "db": 3, **checked}


def test_a_password_is_shown_nowhere(redis_server: Server, namespace: str) -> None:
    store = open_redis(redis_server.url(namespace), SystemClock())
    password = redis_server.base.partition("//:")[2].partition("@")[0] or "none"
    assert password not in repr(store) + repr(store._server) + repr(Target.of(redis_server.url(namespace)))
    store.close()
    wrong = re.sub("//(:[^@]*@)?", "//:s3cret@", redis_server.url(namespace), count=1)
    dead = "redis://:s3cret@127.0.0.1:1/0"
    for url, error in ((wrong, StorageUnusable), (dead, StorageUnavailable)):
        with pytest.raises(error) as failure:
            open_redis(url, SystemClock())
        assert "s3cret" not in "".join(traceback.format_exception(failure.value))


def test_a_call_waits_less_than_half_a_lease(redis_server: Server, namespace: str) -> None:
    store = open_redis(redis_server.url(namespace), SystemClock())
    store.claim(Owner("o"), lease_s=1.0, limit=1)
    assert store._server.timeout_s == 0.5
    store.close()


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.lua")), ids=lambda path: str(path.stem))
def test_every_script_opens_with_its_keys_and_its_reply(path: Path) -> None:
    opening = "\n".join(takewhile(lambda line: line.startswith("--"), path.read_text(encoding="utf-8").splitlines()))
    if not opening.startswith("-- Part of"):
        assert "KEYS[1]" in opening
        assert "-- reply " in opening
