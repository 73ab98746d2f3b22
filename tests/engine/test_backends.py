"""The engine on each store that processes share: the same program with another URL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from maestro_flow import Client, Engine, RunStatus, Workflow
from maestro_flow.errors import StorageUnusable
from tests.servers import postgres as postgres_servers
from tests.servers import redis as redis_servers

PATIENCE_S = 60.0
PROGRAM = Path(__file__).with_name("kill_program.py")


def sqlite_url(request: pytest.FixtureRequest) -> str:
    folder: Path = request.getfixturevalue("tmp_path")
    return f"sqlite:///{folder}/runs.db"


def postgres_url(request: pytest.FixtureRequest) -> str:
    server: postgres_servers.Server = request.getfixturevalue("postgres")
    return server.url(request.getfixturevalue("schema"))


def redis_url(request: pytest.FixtureRequest) -> str:
    server: redis_servers.Server = request.getfixturevalue("redis_server")
    return server.url(request.getfixturevalue("namespace"))


@pytest.fixture(params=[sqlite_url, postgres_url, redis_url], ids=["sqlite", "postgres", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a store that is not there yet."""
    made: str = request.param(request)
    return made


def diamond() -> Workflow:
    wf = Workflow("diamond", params={"number": 1})

    @wf.step
    def first(number: int) -> int:
        return number

    @wf.step(after=first)
    def left(first: int) -> int:
        return first * 2

    @wf.step(after=first)
    def right(first: int) -> int:
        return first * 3

    @wf.step(after=[left, right])
    def last(left: int, right: int) -> int:
        return left + right

    return wf


def test_a_diamond_runs_and_is_there_for_the_next_engine(url: str) -> None:
    with Engine(url) as engine:
        run = engine.run(diamond(), params={"number": 7}, timeout_s=PATIENCE_S)
        assert run.outputs["last"] == 35
    with Client(url) as client:
        assert client.find("diamond", 1).outputs["last"] == 35
        assert [entry.status for entry in client.runs()] == [RunStatus.SUCCEEDED]


def test_who_only_looks_makes_no_store(url: str) -> None:
    for _ in range(2):
        with pytest.raises(StorageUnusable, match=r"there is no store .* yet: name another one"):
            Client(url, create=False)
    Client(url).close()
    with Client(url, create=False) as client:
        assert client.runs() == []


def test_two_hundred_runs_started_at_once_all_end_and_a_request_again_starts_none(url: str) -> None:
    requests = [f"r{number}" for number in range(200)]
    params = [{"number": number} for number in range(200)]
    with Engine(url) as engine:
        engine.push(diamond())
        runs = engine.start_many("diamond", params, request_ids=requests)
        again = engine.start_many("diamond", params, request_ids=requests)
        assert [run.instance_id for run in again] == [run.instance_id for run in runs]
        for run in runs:
            run.wait(PATIENCE_S)
        assert [run.outputs["last"] for run in runs] == [number * 5 for number in range(200)]
        assert len(engine.runs(limit=1000)) == 200


def test_what_a_killed_process_has_left_is_taken_over_when_its_lease_is_over(url: str, tmp_path: Path) -> None:
    effects = tmp_path / "effects"
    effects.touch()
    command = [sys.executable, str(PROGRAM), url, str(effects), "20"]
    environment = {**os.environ, "MAESTRO_FLOW_LEASE_S": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    while process.poll() is None and len(effects.read_bytes().splitlines()) < 5:
        pass
    assert process.poll() is None, "there is work left to take over"
    process.kill()
    process.wait()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stdout == "all ended\n"
    calls = Counter(tuple(line.split()[:2]) for line in effects.read_text().splitlines())
    assert set(calls.values()) == {1}, "one call per execution (I22)"
    assert len({step for step, _ in calls}) == 20 * 4
    with Client(url) as client:
        assert [entry.status for entry in client.runs(limit=100)] == [RunStatus.SUCCEEDED] * 20


def test_of_two_engines_on_one_store_the_second_continues_when_the_first_has_left(url: str) -> None:
    with Engine(url, lease_s=1.0, scan_s=0.05) as second:
        with Engine(url, lease_s=1.0, scan_s=0.05) as first:
            assert first.push(diamond()) == second.push(diamond()) == 1
            engines = enumerate((first, second) * 5)
            runs = [engine.start("diamond", params={"number": number}) for number, engine in engines]
            for run in runs:
                run.wait(PATIENCE_S)
        assert [run.outputs["last"] for run in runs[1::2]] == [5 * number for number in range(1, 10, 2)]
        assert second.run(diamond(), params={"number": 3}, timeout_s=PATIENCE_S).outputs["last"] == 15
