"""``maestro-flow node``: runs what others start, until it is told to stop."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing

import pytest

from maestro_flow.client.client import Client
from maestro_flow.model.status import RunStatus
from tests.cli.command_line import CommandLine, no_op, read_until, sleep


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_node_stops_in_good_order_when_it_is_told_to(cli: CommandLine, number: signal.Signals) -> None:
    node = cli.start("node")
    assert "store sqlite:///maestro-flow.db" in read_until(node, "node is running")[-1]
    node.send_signal(number)
    assert read_until(node, "node has stopped")
    assert node.wait() == 0


def test_a_node_takes_up_what_was_left(cli: CommandLine) -> None:
    cli.leave(cli.workflow("nightly", no_op("first"), sleep("long", 1.0)), after="first SUCCEEDED")
    node = cli.start("node")
    read_until(node, "node is running")
    with Client(f"sqlite:///{cli.folder}/maestro-flow.db") as client:
        assert client.find("nightly").wait(timeout_s=30) is RunStatus.SUCCEEDED


def test_a_node_runs_what_another_process_starts(cli: CommandLine) -> None:
    node = cli.start("node")
    read_until(node, "node is running")
    run = cli.json("run", cli.workflow("nightly", no_op("first"), no_op("last")))
    assert run["status"] == "SUCCEEDED"
    assert node.poll() is None


def test_a_node_says_which_groups_it_takes(cli: CommandLine) -> None:
    node = cli.start("node")
    assert read_until(node, "claimed 64 groups")


def test_a_second_ctrl_c_ends_a_node_at_once(cli: CommandLine) -> None:
    node = cli.start("node")
    read_until(node, "node is running")
    with closing(sqlite3.connect(cli.folder / "maestro-flow.db", isolation_level=None)) as busy:
        busy.execute("begin immediate")  # the node cannot release its groups while somebody else writes
        node.send_signal(signal.SIGINT)
        read_until(node, "node is stopping")
        node.send_signal(signal.SIGINT)
        assert node.wait() == -signal.SIGINT
