"""examples/inventory.py as a process of its own; what it finds is counted again here, from the RECORD files alone."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections import Counter
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from maestro_flow import Client, RunStatus

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "inventory.py"


def rows_by_package() -> dict[str, list[list[str]]]:
    """Rows of each RECORD: path, hash, size."""
    found = {}
    for package in distributions(path=[entry for entry in sys.path if "site-packages" in entry]):
        record = package.read_text("RECORD")
        if record is not None:
            found[package.name] = list(csv.reader(record.splitlines()))
    return found


def run(folder: Path, *args: str) -> str:
    done = subprocess.run([sys.executable, PROGRAM, *args], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def report_of(folder: Path) -> Any:
    return json.loads((folder / "inventory" / "report.json").read_text())


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    packages = rows_by_package()
    sizes = {name: sum(int(row[2] or 0) for row in rows) for name, rows in packages.items()}
    kinds = Counter(Path(row[0]).suffix or "(none)" for rows in packages.values() for row in rows)
    hashed = sum(bool(row[1]) for rows in packages.values() for row in rows)
    return {"sizes": sizes, "kinds": kinds, "hashed": hashed}


def test_the_report_is_what_the_records_say(tmp_path: Path, expected: dict[str, Any]) -> None:
    output = run(tmp_path, "--request-id", "one")
    report = report_of(tmp_path)
    assert report["files"] == sum(expected["kinds"].values()) > 1000
    assert report["bytes"] == sum(expected["sizes"].values())
    largest = sorted(expected["sizes"].values(), reverse=True)[:10]
    assert list(report["largest"].values()) == largest
    assert all(expected["sizes"][name] == size for name, size in report["largest"].items())
    assert all(expected["kinds"][suffix] == count for suffix, count in report["types"].items())
    assert report["verified"]["checked"] == -(-expected["hashed"] // 20)
    assert all(name in output for name in report["largest"])

    with Client(f"sqlite:///{tmp_path}/inventory.db") as client:
        steps = client.find("inventory").steps
    assert {step_id: step.attempt for step_id, step in steps.items()} == {
        "extract": 1, "sizes": 1, "kinds": 1, "verify": 2, "report": 1
    }  # fmt: skip


def test_killed_and_started_again_it_continues_and_extracts_nothing_twice(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, PROGRAM, "--request-id", "one"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        # The retry is a second away: there is time to kill it.
        assert any("verify   USER_FAILED" in line for line in process.stdout)
        process.send_signal(signal.SIGKILL)
    rows = tmp_path / "inventory" / "files.csv"
    extracted = rows.stat()
    assert not (tmp_path / "inventory" / "report.json").exists()

    first = run(tmp_path, "--request-id", "one")
    assert report_of(tmp_path)["files"] > 1000
    assert rows.stat() == extracted
    assert run(tmp_path, "--request-id", "one").splitlines()[-10:] == first.splitlines()[-10:]
    with Client(f"sqlite:///{tmp_path}/inventory.db") as client:
        (entry,) = client.runs("inventory")
    assert entry.status is RunStatus.SUCCEEDED
