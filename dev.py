#!/usr/bin/env python3
"""Everything that a fresh clone needs, in one command, with nothing but Python 3.11 or newer and pip.

    python3 dev.py demo                   run the example workflow, with live progress
    python3 dev.py check                  lint, format and type checks
    python3 dev.py test [ARGS]            run the test suite; ARGS go to pytest
    python3 dev.py test --latest [ARGS]   the same with the newest release of every dependency
    python3 dev.py lock                   write the newest releases to constraints.txt, for all of the above to use

The project and its tools go into ``.venv``, never into the system's Python, in the versions of ``constraints.txt``: a
release of somebody else never breaks a fresh clone. ``--latest`` has ``.venv-latest``. A second run installs nothing,
unless ``pyproject.toml``, ``constraints.txt`` or the Python has changed; ``--latest`` looks for releases once a day.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
import tomllib
import venv
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PROJECT = ROOT / "pyproject.toml"
LOCK = ROOT / "constraints.txt"
PINNED = ROOT / ".venv"
LATEST = ROOT / ".venv-latest"

PIN = {"PIP_CONSTRAINT": LOCK.name, "PIP_BUILD_CONSTRAINT": LOCK.name}
"""Settings of pip, not options: so they also reach the environment that it builds the project in (old pip: the first,
pip 25.3 or newer: the second). Relative to ``ROOT``, because pip splits them at spaces."""


def run(*command: str | Path, **settings: str) -> None:
    """Print a command and run it in the project's folder; if it fails, end with its exit code."""
    words = [str(word) for word in command]
    print("$", shlex.join(words), flush=True)
    code = subprocess.call(words, cwd=ROOT, env=os.environ | settings)
    if code != 0:
        raise SystemExit(code)


def pip_install(home: Path, *arguments: str, **settings: str) -> None:
    """The outer pip fills the environment: unpacking one into it would take longer than all the rest."""
    run(sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", "--quiet", *arguments, **settings)


def installed(home: Path, extra: str = "") -> Path:
    """The ``bin`` of an environment, which holds the project, editable, with the requirements of an extra."""
    python = f"{sys.version} {sys.base_prefix}"
    if not is_stamped(home / "made-by", python):
        venv.create(home, clear=True, symlinks=True, with_pip=False)
        (home / "made-by").write_text(python)
    versions = LOCK.read_bytes() if home == PINNED else f"{datetime.now(UTC):%Y-%m-%d}".encode()
    wanted = hashlib.sha256(PROJECT.read_bytes() + versions).hexdigest()
    # The extra adds to what is needed without one, so its stamp is good for both.
    if not any(is_stamped(home / f"installed-{name}", wanted) for name in {extra, "test"}):
        target = ["--editable", f".[{extra}]" if extra else "."]
        if home == PINNED:
            pip_install(home, *target, **PIN)
        else:
            pip_install(home, *target, "--upgrade", "--upgrade-strategy", "eager")
        (home / f"installed-{extra}").write_text(wanted)
    return home / "bin"


def is_stamped(stamp: Path, text: str) -> bool:
    return stamp.exists() and stamp.read_text() == text


def lock() -> None:
    """Choose versions for every Python and platform at once: uv can, pip knows only its own."""
    oldest = tomllib.loads(PROJECT.read_text())["project"]["requires-python"].removeprefix(">=")
    what = ["--universal", "--python-version", oldest, "--extra", "test", "--upgrade", PROJECT.name]
    output = ["--no-annotate", "--custom-compile-command", "python3 dev.py lock", "--output-file", LOCK.name]
    with tempfile.TemporaryDirectory() as home:
        venv.create(home, symlinks=True, with_pip=False)
        pip_install(Path(home), "uv")
        run(Path(home, "bin", "uv"), "pip", "compile", "--quiet", "--no-config", *what, *output)


def main(*words: str) -> None:
    match words:
        case ["demo"]:
            run(installed(PINNED) / "maestro-flow", "run", "examples/nightly.yaml")
        case ["check"]:
            tools = installed(PINNED, "test")
            run(tools / "ruff", "check")
            run(tools / "ruff", "format", "--check")
            run(tools / "mypy")
        case ["test", "--latest", *arguments]:
            run(installed(LATEST, "test") / "python", "-m", "pytest", *arguments)
        case ["test", *arguments]:
            run(installed(PINNED, "test") / "python", "-m", "pytest", *arguments)
        case ["lock"]:
            lock()
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
