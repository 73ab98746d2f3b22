"""Every verb of a store, once, for tests of what its statements read."""

from __future__ import annotations

from maestro_flow.model.leases import Owner
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.node import Node, message_to
from maestro_flow.storage.process import this_process
from maestro_flow.storage.protocol import RunQuery, Storage


def use_every_verb(store: Storage) -> None:
    """Instance 3 is asked for; the store is closed at the end."""
    node = Node(store)
    assert store.schema_version >= 1
    store.push("w", b"{}")
    store.definition("w")
    store.definition("w", 1)
    store.start([StartRequest("w", "r1", 0), StartRequest("w", "r2", 0)])
    store.start([StartRequest("w", "r3", 0, after=(1, 1))])
    store.claim(Owner("o", this_process()), lease_s=9, limit=1)
    node.claim(2)
    store.holder(node.group_id)
    store.pending_starts(node.group_id)
    store.send(message_to(node.group_id))
    node.commit(node.write("w/1/1", 1, sends=(message_to(node.group_id, "m2"),)), node.settle("m1"))
    node.commit(node.write("w/1/1", 2))
    node.renew()
    store.renew(Owner("o", this_process()), [], lease_s=9, offers=frozenset({"NoOp"}))
    store.leave(Owner("o"))
    store.listen(lambda _group_id: None)()
    store.send(message_to(node.group_id, "poison"))
    node.commit(node.settle("poison", "spam", dead=True))
    store.dead_letters(after=(node.group_id, 0))
    store.redrive(node.group_id, "poison")
    store.receive(node.lease)
    store.message(node.group_id, "m1")
    store.acknowledge_starts(["w/1/1"])
    store.load_flows(node.group_id)
    store.read_flow("w/1/1")
    store.read_log(node.group_id)
    store.run("w/1/1")
    failed = frozenset({RunStatus.FAILED, RunStatus.STOPPED})
    for before in (None, (1.0, "w/1/1")):
        store.list_runs(RunQuery(before=before))
        store.list_runs(RunQuery(before=before, workflow_id="w", statuses=failed))
        store.list_runs(RunQuery(before=before, instance_id=3, statuses=failed))
        store.list_runs(RunQuery(before=before, workflow_id="w", instance_id=3))
        store.list_runs(RunQuery(before=before, parent="w/1/1/call", statuses=failed))
        store.list_runs(RunQuery(before=before, parent="w/1/1/call", workflow_id="sub"))
        store.list_runs(RunQuery(before=before, parent="w/1/1/call", instance_id=4))
        store.list_runs(RunQuery(before=before, parent="w/1/1/call", instance_id=4, workflow_id="sub"))
        store.list_runs(RunQuery(before=before, blocking=True))
        store.list_runs(RunQuery(before=before, blocking=True, workflow_id="w", statuses=failed))
    store.open_cursor(node.group_id, "sink", node.owner, position=0)
    store.open_cursor(node.group_id, "sink", Owner("o"))
    cursor = store.open_cursor(node.group_id, "sink", node.owner)
    store.move_cursor(cursor, store.last_position(node.group_id))
    store.cursors(after=(0, "sink"))
    store.drop_cursor(node.group_id, "sink")
    node.commit(node.write("w/9/1", 1, status=RunStatus.SUCCEEDED))
    store.prune(node.lease, ["w/9/1", "w/1/1"])
    store.pruned_through(node.group_id)
    store.read_log(node.group_id, accept_gaps=True)
    store.purge_messages(settled_before=1.0)
    store.release(node.leases)
    store.close()
