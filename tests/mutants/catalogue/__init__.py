"""All mutants, by name."""

from __future__ import annotations

from tests.mutants.catalogue.decisions import DECISIONS
from tests.mutants.catalogue.engine import ENGINE
from tests.mutants.catalogue.logs import LOGS
from tests.mutants.catalogue.ownership import OWNERSHIP
from tests.mutants.catalogue.stores import STORES
from tests.mutants.mutant import Mutant

__all__ = ["MUTANTS"]

MUTANTS: dict[str, Mutant] = {mutant.name: mutant for mutant in (*STORES, *LOGS, *OWNERSHIP, *ENGINE, *DECISIONS)}
