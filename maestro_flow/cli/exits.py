"""The exit codes, for the scripts and schedulers that call us."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["INTERRUPTED", "Exit"]

INTERRUPTED = 130
"""Ended by Ctrl-C, by the convention of shells: 128 + SIGINT."""


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    NOT_SUCCEEDED = 1
    WRONG = 2
    TIMED_OUT = 3

    @classmethod
    def explain(cls) -> str:
        """One sentence for the help."""
        return (
            f"Exit code {cls.OK}: success. {cls.NOT_SUCCEEDED}: a run did not succeed. "
            f"{cls.WRONG}: a definition, an option or the store cannot be used, or an action was refused. "
            f"{cls.TIMED_OUT}: the command timed out."
        )

    @classmethod
    def worst(cls, *codes: Exit) -> Exit:
        """One code for several runs; a timeout outranks a failure, because the rest might still have failed."""
        return max(codes, default=cls.OK)
