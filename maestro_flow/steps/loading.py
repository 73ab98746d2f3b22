"""Installed step types: found by their entry points, loaded when needed, and described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from attrs import frozen

from maestro_flow.errors import PluginError
from maestro_flow.steps.builtin import InlineStepType
from maestro_flow.steps.contract import CONTRACT, CONTRACTS, StepType
from maestro_flow.steps.declared import ParamSpec
from maestro_flow.steps.version1 import Version1

__all__ = ["STEP_TYPES", "InstalledType", "describe_installed", "known_step_types", "load_step_type"]

STEP_TYPES = "maestro_flow.step_types"
"""Entry-point group; the name is the step's ``type`` in a definition, the object a ``StepType`` class."""


@frozen
class InstalledType:
    """A description of an installed step type. ``problem`` says why it cannot be used; then the rest is unknown."""

    name: str
    package: str
    """The distribution and its version."""
    contract: int = 0
    executor: str = ""
    """The executor of its calls; "" if the engine makes them itself."""
    params: Sequence[ParamSpec] = ()
    description: str = ""
    """First line of the docstring."""
    problem: str = ""


def known_step_types() -> frozenset[str]:
    """Names of the installed step types; imports none of them."""
    return frozenset(_installed())


@cache  # a scan costs about 15 ms with a hundred distributions
def _installed() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=STEP_TYPES)}


def load_step_type(name: str) -> StepType | None:
    """An instance of the installed type of this name; None if there is none.

    Raises:
        PluginError: it is installed but cannot be used.
    """
    entry = _installed().get(name)
    return None if entry is None else _load(entry)


def describe_installed() -> list[InstalledType]:
    """All installed step types by name. Imports each of them, and opens none."""
    return [_described(entry) for _, entry in sorted(_installed().items())]


def _described(entry: EntryPoint) -> InstalledType:
    package = "" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"
    try:
        loaded = _load(entry)
    except PluginError as error:
        return InstalledType(entry.name, package, problem=str(error))
    original = loaded.step_type if isinstance(loaded, Version1) else loaded
    lines = (type(original).__doc__ or "").strip().splitlines()
    return InstalledType(
        entry.name,
        package,
        original.contract,
        "" if isinstance(loaded, InlineStepType) else loaded.executor,
        loaded.params,
        lines[0] if lines else "",
    )


def _load(entry: EntryPoint) -> StepType:
    where = f"step type {entry.name!r} ({entry.value})"
    try:
        step_class = entry.load()
        step_type = step_class()
    except Exception as error:  # a plugin may fail in any way; the message must name it
        raise PluginError(f"{where} cannot be loaded: {error!r}") from error
    if not isinstance(step_type, StepType):
        raise PluginError(f"{where} is not a maestro_flow StepType")
    if step_type.contract not in CONTRACTS:
        raise PluginError(
            f"{where} is written for contract {step_type.contract}, "
            f"this version has contract {CONTRACT}: install a matching release of the plugin"
        )
    if step_type.contract == 1:
        return Version1(step_type)
    if not all(isinstance(spec, ParamSpec) for spec in step_type.params):
        raise PluginError(f"{where} declares params that are not of the class ParamSpec: {step_type.params!r}")
    return step_type
