"""``maestro-flow verify`` and ``dead-letters``: what they say of a good store, and of one that somebody has broken."""

from __future__ import annotations

import sqlite3

from maestro_flow import Client
from maestro_flow.model.commit import Commit, Settlement
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Lease, Owner
from tests.cli.command_line import CommandLine, no_op, sleep


def test_a_good_store_has_nothing_wrong(cli: CommandLine) -> None:
    file = cli.workflow("good", no_op("a"), no_op("b"))
    cli("run", file)
    cli("run", file)
    assert cli("verify").stdout.startswith("no violations: 2 runs, 4 attempts, ")
    found = cli.json("verify")
    assert (found["runs"], found["attempts"], found["violation_count"], found["violations"]) == (2, 4, 0, [])


def test_what_is_wrong_is_said_with_its_place_and_what_to_do(cli: CommandLine) -> None:
    cli("run", cli.workflow("broken", no_op("a"), no_op("b")))
    with sqlite3.connect(cli.folder / "maestro-flow.db") as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        (log,) = (name for name in tables if "log" in name or "events" in name)
        database.execute(f"DELETE FROM {log} WHERE revision = 1")
    told = cli("verify", code=1).stdout.splitlines()
    assert told[0] == "I5 broken/1/1 revision 2: revisions 1 to 1 are missing"
    assert told[1].startswith("   promised: ")
    assert told[2].startswith("   what to do: ")
    (violation,) = cli.json("verify", code=1)["violations"]
    assert violation["invariant"] == "I5"
    assert (violation["workflow_id"], violation["instance_id"], violation["run_id"]) == ("broken", 1, 1)


def test_a_run_without_an_owner_is_found(cli: CommandLine) -> None:
    cli.leave(cli.workflow("left", sleep("a", 60.0)), after="a STARTING")
    assert cli("verify").stdout.startswith("no violations"), "it may be taken any moment"
    told = cli("verify", "--grace", "0", code=1).stdout
    assert told.startswith("L3 group ")
    assert "no node holds the group" in told
    cli("verify", "--grace", "0", "--no-live")


def test_there_must_be_a_store(cli: CommandLine) -> None:
    assert "there is no store" in cli("verify", code=2).stderr
    assert "there is no store" in cli("dead-letters", "list", code=2).stderr


def test_dead_letters_are_listed_and_tried_again(cli: CommandLine) -> None:
    cli.leave(cli.workflow("left", sleep("a", 60.0)), after="a STARTING")
    with Client(f"sqlite:///{cli.folder}/maestro-flow.db") as client:
        run = client.find("left")
        message = Message(run.group_id, "m1", run.flow_id, "stop")
        client.storage.send(message)
        leases = client.storage.claim(Owner("test"), lease_s=60.0, limit=1000)
        (lease,) = (lease for lease in leases if lease.group_id == run.group_id)
        assert isinstance(lease, Lease)
        settled = Settlement("m1", "given up: 5 owners failed\nZeroDivisionError: poison", dead=True)
        client.storage.commit([Commit(lease, settles=(settled,))])
        client.storage.release(leases)
    header, row = cli("dead-letters", "list").stdout.splitlines()
    assert header.split() == ["MESSAGE", "RUN", "KIND", "SENT", "WHY"]
    assert row.split()[:3] == ["m1", "left/1/1", "stop"]
    assert row.endswith("ZeroDivisionError: poison")
    (letter,) = cli.json("dead-letters", "list")["dead_letters"]
    assert (letter["workflow_id"], letter["instance_id"], letter["reason"]) == ("left", 1, settled.outcome)
    assert "name messages or give --all" in cli("dead-letters", "redrive", code=2).stderr
    assert "no dead letter 'm2'" in cli("dead-letters", "redrive", "m2", code=2).stderr
    assert cli("dead-letters", "redrive", "--all").stdout == "message m1: will be handled again\n"
    assert cli.json("dead-letters", "list") == {"dead_letters": []}
    cli("resume", code=1)
    assert cli.json("show", "left")["status"] == "STOPPED"
