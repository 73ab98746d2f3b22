"""What is installed in this Python? A durable workflow over every file of every package.

    extract ──┬── sizes ───┐
              ├── kinds ───┼── report
              └── verify ──┘      verify fails at first, and is retried

    python examples/inventory.py

Kill it halfway and start it again: finished steps are not repeated. Run it twice on one day: it is the same run.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from maestro_flow import Engine, Run, StepContext, Workflow

wf = Workflow("inventory", params={"folder": "inventory"})


@wf.step
def extract(folder: str) -> str:
    """One row per file: package, path, size, sha256. Thousands of rows belong in a file; the result is its path."""
    target = Path(folder).absolute() / "files.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        for name, package in sorted({package.name: package for package in distributions()}.items()):
            for path in package.files or []:
                sha256 = path.hash.value if path.hash and path.hash.mode == "sha256" else ""
                rows.writerow([name, path.locate(), path.size or 0, sha256])
    part.replace(target)  # all or nothing: a step that is killed is run again
    return str(target)


@wf.step(after=extract)
def sizes(extract: str) -> dict[str, int]:
    """Bytes per package."""
    total: Counter[str] = Counter()
    for package, _, size, _ in read(extract):
        total[package] += int(size)
    return dict(total)


@wf.step(after=extract)
def kinds(extract: str) -> dict[str, int]:
    """Files per type."""
    return dict(Counter(Path(path).suffix or "(none)" for _, path, _, _ in read(extract)))


@wf.step(after=extract, retries=2, retry_wait_s=1)
def verify(extract: str, context: StepContext) -> dict[str, Any]:
    """Does every 20th file match its recorded hash?"""
    if context.attempt == 1:
        raise TimeoutError("the disk does not answer (it never does at first: see what happens)")
    sample = [(path, sha256) for _, path, _, sha256 in read(extract) if sha256][::20]
    return {"checked": len(sample), "changed": [path for path, sha256 in sample if sha256 != hash_of(Path(path))]}


@wf.step(after=[sizes, kinds, verify])
def report(folder: str, sizes: dict[str, int], kinds: dict[str, int], verify: dict[str, Any]) -> dict[str, Any]:
    """Combine the three results."""
    found = {
        "packages": len(sizes),
        "files": sum(kinds.values()),
        "bytes": sum(sizes.values()),
        "largest": dict(Counter(sizes).most_common(10)),
        "types": dict(Counter(kinds).most_common(10)),
        "verified": verify,
    }
    Path(folder, "report.json").write_text(json.dumps(found, indent=2), encoding="utf-8")
    return found


def read(path: str) -> Iterator[list[str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        yield from csv.reader(file)


def hash_of(path: Path) -> str:
    """The hash in the format of RECORD files; empty for a missing file."""
    digest = hashlib.sha256(path.read_bytes()).digest() if path.exists() else b""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def show(run: Run) -> None:
    """Print a line for each change of a step, until the run has ended."""
    seen: dict[str, tuple[str, int]] = {}
    for view in run.follow():
        for step in view.steps.values():
            now = (str(step.status), step.attempt)
            if step.attempt and seen.get(step.id) != now:
                seen[step.id] = now
                print(f"{step.id:<8} {step.status}", f"({step.error.message})" if step.error else "", flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--store", default="sqlite:///inventory.db", help="where the run is kept (%(default)s)")
    options.add_argument("--folder", default="inventory", help="for the rows and the report (%(default)s)")
    options.add_argument("--request-id", default=f"{datetime.now(UTC):%F}", help="once for each of these (today)")
    given = options.parse_args()
    with Engine(given.store) as engine:
        engine.push(wf)
        run = engine.start(wf.id, params={"folder": given.folder}, request_id=given.request_id)
        show(run)
        run.raise_for_status()
        for package, size in run.outputs["report"]["largest"].items():
            print(f"{size / 2**20:8.1f} MiB  {package}")
