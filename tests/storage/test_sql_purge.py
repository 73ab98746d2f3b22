"""Tombstones are deleted a few at a time, or a purge of many would outlast its timeout, and every lease."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from maestro_flow_sql.postgres import inbox as postgres_inbox
from maestro_flow_sql.sqlite import inbox as sqlite_inbox

from maestro_flow.storage.conformance.node import Node, message_to
from maestro_flow.storage.open import open_storage
from maestro_flow.storage.protocol import Storage
from tests.servers.postgres import Server

MESSAGES = 25


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """One that purges 10 at a time."""
    monkeypatch.setattr(sqlite_inbox, "PURGED_AT_ONCE", 10)
    monkeypatch.setattr(postgres_inbox, "_PURGED_AT_ONCE", 10)
    url = f"sqlite:///{tmp_path}/store.db"
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        url = server.url(request.getfixturevalue("schema"))
    store = open_storage(url)
    yield store
    store.close()


def test_all_old_tombstones_go_and_what_waits_stays(store: Storage) -> None:
    node = Node(store)
    node.claim()
    names = [f"m{number}" for number in range(MESSAGES + 3)]
    for name in names:
        store.send(message_to(node.group_id, name))
    node.commit(*(node.settle(name) for name in names[:MESSAGES]))
    now = node.renew().now
    assert store.purge_messages(settled_before=now - 60) == 0
    assert store.purge_messages(settled_before=now + 60) == MESSAGES
    assert [message.message_id for message in store.receive(node.lease)] == names[MESSAGES:]
    assert store.purge_messages(settled_before=now + 60) == 0
