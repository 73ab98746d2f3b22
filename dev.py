#!/usr/bin/env python3
"""Everything that a fresh clone needs, in one command, with nothing but Python 3.11 or newer and pip.

    python3 dev.py demo             run the example workflow, with live progress
    python3 dev.py test [ARGS]      run the test suite; ARGS go to pytest
    python3 dev.py check            lint, format and type checks

The project and its tools go into ``.venv``, never into the system's Python. A second run installs nothing, unless
``pyproject.toml`` or the Python has changed.
"""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"


def run(*command: str | Path) -> None:
    """Print a command and run it in the project's folder; if it fails, end with its exit code."""
    words = [str(word) for word in command]
    print("$", shlex.join(words), flush=True)
    code = subprocess.call(words, cwd=ROOT)
    if code != 0:
        raise SystemExit(code)


def install(extra: str) -> None:
    """Make ``.venv`` hold the project, editable, with the requirements of an extra ("" for none)."""
    python = f"{sys.version} {sys.base_prefix}"
    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    made_by = VENV / "made-by"
    if not is_stamped(made_by, python):
        # Without pip: unpacking one into the venv takes longer than all the rest, and the outer one can fill it.
        venv.create(VENV, clear=True, symlinks=True, with_pip=False)
        made_by.write_text(python)
    # The extra adds to what is needed without one, so its stamp is good for both.
    if not any(is_stamped(VENV / f"installed-{name}", project) for name in {extra, "test"}):
        target = f".[{extra}]" if extra else "."
        run(sys.executable, "-m", "pip", "--python", BIN / "python", "install", "--quiet", "--editable", target)
        (VENV / f"installed-{extra}").write_text(project)


def is_stamped(stamp: Path, text: str) -> bool:
    return stamp.exists() and stamp.read_text() == text


def main(command: str = "", *args: str) -> None:
    if command == "demo" and not args:
        install("")
        run(BIN / "maestro-flow", "run", "examples/nightly.yaml")
    elif command == "test":
        install("test")
        run(BIN / "python", "-m", "pytest", *args)
    elif command == "check" and not args:
        install("test")
        run(BIN / "ruff", "check")
        run(BIN / "ruff", "format", "--check")
        run(BIN / "mypy")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
