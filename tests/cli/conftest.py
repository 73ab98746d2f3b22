"""The command line as a user has it: the installed program, run in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    """A command line in an empty folder; what it still runs at the end of the test is killed."""
    with CommandLine(tmp_path) as line:
        yield line
