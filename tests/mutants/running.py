"""A selection of tests in its own process, mutated or not, and the verdict."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from attrs import frozen

from tests.mutants.applying import MARK_VARIABLE, VARIABLE
from tests.mutants.mutant import ROOT, Misfit, Mutant

__all__ = ["Verdict", "control", "try_mutant"]

_TIMEOUT_S = 100
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@frozen
class Verdict:
    """``word`` is caught, survived, or broken: the tests could not be run, which proves nothing."""

    name: str
    word: str
    first: str
    """The first test that has failed."""
    seconds: float
    output: str


def try_mutant(mutant: Mutant, selection: Sequence[str] = ()) -> Verdict:
    """Run the tests that must catch it, or another selection; broken, too, if it does not fit the code."""
    try:
        mutant.check()
    except Misfit as error:
        return Verdict(mutant.name, "broken", str(error), 0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        mark = Path(folder) / "mark"
        verdict = _run(mutant.name, selection or mutant.caught_by, {VARIABLE: mutant.name, MARK_VARIABLE: str(mark)})
        made = set(mark.read_text(encoding="utf-8").splitlines()) if mark.exists() else set()
    if missing := {edit.file for edit in mutant.edits} - made:
        problem = f"{', '.join(sorted(missing))} was never read by these tests"
        return Verdict(mutant.name, "broken", problem, verdict.seconds, verdict.output)
    return verdict


def control(selection: Sequence[str]) -> Verdict:
    """The same tests without a mutant: a failure here proves nothing."""
    return _run("(none)", selection, {})


def _run(name: str, selection: Sequence[str], variables: dict[str, str]) -> Verdict:
    site = str(Path(__file__).parent / "site")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((site, str(ROOT))), **variables}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *selection]
    began = monotonic()
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Verdict(name, "caught", f"nothing ends within {_TIMEOUT_S} s", monotonic() - began, "")
    output = done.stdout + done.stderr
    word = {0: "survived", 1: "caught"}.get(done.returncode, "broken")
    found = _FAILED.search(output)
    return Verdict(name, word, found[1] if found else "", monotonic() - began, output)
