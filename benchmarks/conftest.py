"""The store to measure, the engine on it, the floors, and the report."""

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

from benchmarks.floors import CommitFloor
from benchmarks.report import Figure, Report
from benchmarks.stores import NEW, MeasuredStore, measured_store
from maestro_flow import Engine, open_storage
from maestro_flow.storage.protocol import Storage
from maestro_flow.storage.url import without_password

REPORT = pytest.StashKey[Report]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        metavar="URL",
        action="append",
        help=f"a store to measure, a URL or a new one ({', '.join(NEW)}); may be repeated; default: {NEW[0]}",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = Report()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Benchmarks that need a store run on each of them, one after another."""
    if "store" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--store") or [NEW[0]]
        names = [without_password(url) for url in wanted]
        metafunc.parametrize("store", wanted, ids=names, indirect=True, scope="session")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    report = config.stash[REPORT]
    if report.figures:
        load = " ".join(f"{load:.2f}" for load in os.getloadavg())
        terminalreporter.section(f"maestro-flow, load {load}")
        for line in report.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder on the disk of the working directory: /tmp may be in memory, where nothing is durable."""
    with tempfile.TemporaryDirectory(prefix=".benchmark-", dir=Path.cwd()) as name:
        yield Path(name)


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest, folder: Path) -> Iterator[MeasuredStore]:
    with measured_store(request.param, folder) as store:
        yield store


@pytest.fixture(scope="session")
def storage(store: MeasuredStore) -> Iterator[Storage]:
    storage = open_storage(store.url)
    yield storage
    storage.close()


@pytest.fixture(scope="session")
def floor(storage: Storage) -> Iterator[CommitFloor]:
    floor = CommitFloor(storage)
    yield floor
    floor.close()


@pytest.fixture(scope="session")
def engine(storage: Storage, floor: CommitFloor) -> Iterator[Engine]:  # noqa: ARG001 - the floor's group is taken first
    with Engine(storage) as engine:
        yield engine


@define
class Rounds:
    """Seconds of the best round, wall time and CPU, and the best floor measured before a round.

    The best, because other work on the machine makes a round slower, never faster.
    """

    wall_s: float = inf
    cpu_s: float = inf
    floor_s: float = inf


class Meter:
    """Runs rounds under pytest-benchmark, and reports figures for one store or for none."""

    def __init__(self, benchmark: BenchmarkFixture, report: Report, store: str) -> None:
        self._benchmark, self._report, self._store = benchmark, report, store

    def measure(
        self, run: Callable[[], float | None], *, rounds: int, floor: Callable[[], float] | None = None
    ) -> Rounds:
        """Rounds of ``run``, which may return the seconds that count; the floor is measured before each round."""
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

        run()  # a warm-up round
        self._benchmark.pedantic(timed, setup=before, rounds=rounds)  # type: ignore[no-untyped-call]
        return best

    def report(self, figure: Figure) -> None:
        figures = self._benchmark.extra_info.setdefault("figures", [])
        figures.append(self._report.add(self._store, figure))


@pytest.fixture
def meter(benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> Meter:
    has_store = "store" in request.fixturenames
    name: str = request.getfixturevalue("store").name if has_store else ""
    return Meter(benchmark, request.config.stash[REPORT], name)
