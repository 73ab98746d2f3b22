"""Python imports this at its start, if this folder is on its path; see ``tests.mutants.applying``."""

from tests.mutants.applying import apply_named

apply_named()
