"""What is built and installed: the files of the distributions, and the versions that ``dev.py`` installs."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.tidy.sources import ROOT, modules

PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[a-z0-9.]+)(?: ; (?P<marker>[\w.]+ [<>=!]+ '[\w.]+'.*))?")


def pins() -> dict[str, str]:
    """The locked versions by name; every line must be a name, a version and perhaps a marker, and nothing else."""
    found = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            pin = PIN.fullmatch(line)
            assert pin, line
            found[pin["name"]] = pin["version"]
    return found


def requirements() -> Iterator[Requirement]:
    """Everything that ``pyproject.toml`` asks for, in any extra or to build, but for the project itself."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = document["project"]
    extras = (line for lines in project["optional-dependencies"].values() for line in lines)
    for line in [*document["build-system"]["requires"], *project["dependencies"], *extras]:
        requirement = Requirement(line)
        if requirement.name != project["name"]:
            yield requirement


def test_the_lock_has_a_fitting_version_of_each_requirement() -> None:
    locked = pins()
    unfit = [want for want in requirements() if locked.get(canonicalize_name(want.name), "0") not in want.specifier]
    assert unfit == [], "run python3 dev.py lock"


def test_the_distributions_have_the_licence_and_say_that_they_are_typed(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "--directory", tmp_path], cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    files = set(zipfile.ZipFile(wheel).namelist())
    packages = {module for module in modules() if "." not in module}
    assert {f"{package}/py.typed" for package in packages} <= files
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in files)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "constraints.txt", "dev.py"} <= inside
