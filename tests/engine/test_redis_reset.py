"""A Redis server that is flushed under running engines: it has failed for good, and everybody is told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from maestro_flow import Engine, RunStatus
from maestro_flow.errors import StorageReset
from tests.cli.command_line import CommandLine, read_until, sleep
from tests.engine.workflows import sleeper
from tests.servers import redis as redis_servers

PATIENCE_S = 60.0


def let_the_node_notice(engine: Engine) -> None:
    """By its next scan."""
    never = threading.Event()
    for _ in range(int(PATIENCE_S / 0.05)):
        try:
            engine.check()
        except StorageReset:
            return
        never.wait(0.05)
    raise AssertionError("the node continues as if nothing had happened")


def test_who_waits_for_a_run_is_told_that_the_store_was_flushed(
    own_redis: redis_servers.Server, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Engine(own_redis.url(namespace)) as engine:
        engine.push(sleeper(600.0))
        run = engine.start("sleeper")
        assert run.status is not RunStatus.SUCCEEDED
        with own_redis.client() as client:
            client.flushall()
        with pytest.raises(StorageReset, match="stop all nodes"):
            run.wait(PATIENCE_S)
        with pytest.raises(StorageReset):
            engine.start("sleeper")
        let_the_node_notice(engine)
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert errors[0].exc_info is None
    with Engine(own_redis.url(namespace)) as engine:
        assert engine.run(sleeper(0.01), timeout_s=PATIENCE_S).status is RunStatus.SUCCEEDED, (
            "opened again, it is empty"
        )


def test_another_server_at_the_address_is_not_the_store(own_redis: redis_servers.Server, namespace: str) -> None:
    """It holds a store of the same name, even: a backup of another day, or a server of somebody else."""
    with Engine(own_redis.url(namespace)) as engine:
        engine.push(sleeper(600.0))
        run = engine.start("sleeper")
        with own_redis.client() as client:
            client.flushall()
        with Engine(own_redis.url(namespace)) as other:
            assert other.run(sleeper(0.01), timeout_s=PATIENCE_S).status is RunStatus.SUCCEEDED
            let_the_node_notice(engine)
            with pytest.raises(StorageReset):
                run.wait(PATIENCE_S)


def test_the_command_line_ends_with_one_line(own_redis: redis_servers.Server, namespace: str, tmp_path: Path) -> None:
    with CommandLine(tmp_path) as cli:
        url = own_redis.url(namespace)
        node = cli.start("node", "--store", url)
        read_until(node, "node is running")
        run = cli.start("run", cli.workflow("long", sleep("pause", 600.0)), "--store", url)
        read_until(run, "pause")
        with own_redis.client() as client:
            client.flushall()
        for process in (node, run):
            said, _ = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 2, said
            complaints = [line for line in said.splitlines() if line.startswith("maestro-flow: ")]
            assert len(complaints) == 1, said
            assert "stop all nodes" in complaints[0]
            assert "Traceback" not in said
