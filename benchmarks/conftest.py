"""The store that is measured, the engine on it, the floors, and the report."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path
from time import perf_counter, process_time

import pytest
from attrs import define
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.floors import BareUpdate, CommitFloor
from benchmarks.report import Figure, Report
from maestro_flow import Engine, open_storage
from maestro_flow.clock import SystemClock
from maestro_flow.storage.protocol import Storage

REPORT = pytest.StashKey[Report]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store", metavar="URL", help="the store to measure; a new SQLite file below the working directory"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = Report()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    report = config.stash[REPORT]
    if report.figures:
        load = " ".join(f"{load:.2f}" for load in os.getloadavg())
        terminalreporter.section(f"maestro-flow on {config.getoption('--store') or 'sqlite'}, load {load}")
        for line in report.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder on the disk of the working directory: /tmp may be memory, where nothing is durable."""
    with tempfile.TemporaryDirectory(prefix=".benchmark-", dir=Path.cwd()) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest, folder: Path) -> str:
    """URL of the store."""
    given: str | None = request.config.getoption("--store")
    return given or f"sqlite:///{folder}/benchmark.db"


@pytest.fixture(scope="session")
def storage(store: str) -> Iterator[Storage]:
    storage = open_storage(store, SystemClock())
    yield storage
    storage.close()


@pytest.fixture(scope="session")
def floor(storage: Storage) -> Iterator[CommitFloor]:
    floor = CommitFloor(storage)
    yield floor
    floor.close()


@pytest.fixture(scope="session")
def bare_update(store: str) -> Iterator[BareUpdate | None]:
    bare = BareUpdate.beside(store)
    yield bare
    if bare is not None:
        bare.close()


@pytest.fixture(scope="session")
def engine(storage: Storage, floor: CommitFloor) -> Iterator[Engine]:  # noqa: ARG001 - the floor's group is taken first
    with Engine(storage) as engine:
        yield engine


@define
class Rounds:
    """Seconds of the best round, of wall time and CPU, and the best floor that was measured before one.

    The best, because whatever else the machine does makes a round slower, never faster.
    """

    wall_s: float = inf
    cpu_s: float = inf
    floor_s: float = inf


class Meter:
    """Runs rounds under pytest-benchmark, and reports figures."""

    def __init__(self, benchmark: BenchmarkFixture, report: Report) -> None:
        self._benchmark, self._report = benchmark, report

    def measure(
        self, run: Callable[[], float | None], *, rounds: int, floor: Callable[[], float] | None = None
    ) -> Rounds:
        """Rounds of ``run``, which may return the seconds that count; the floor is measured before each of them."""
        best = Rounds()

        def before() -> None:
            if floor is not None:
                best.floor_s = min(best.floor_s, floor())

        def timed() -> None:
            wall, cpu = perf_counter(), process_time()
            said_s = run()
            wall_s, cpu_s = perf_counter() - wall, process_time() - cpu
            best.wall_s = min(best.wall_s, wall_s if said_s is None else said_s)
            best.cpu_s = min(best.cpu_s, cpu_s)

        run()  # the first round finds everything cold
        self._benchmark.pedantic(timed, setup=before, rounds=rounds)  # type: ignore[no-untyped-call]
        return best

    def report(self, figure: Figure) -> None:
        figures = self._benchmark.extra_info.setdefault("figures", [])
        figures.append(self._report.add(figure))


@pytest.fixture
def meter(benchmark: BenchmarkFixture, pytestconfig: pytest.Config) -> Meter:
    return Meter(benchmark, pytestconfig.stash[REPORT])
