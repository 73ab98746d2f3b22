"""The exit codes: what a script or a scheduler that called us goes by."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["INTERRUPTED", "Exit"]

INTERRUPTED = 130
"""Ended by Ctrl-C, as shells count it: 128 + SIGINT."""


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
            f"Exit code {cls.OK}: all went well. {cls.NOT_SUCCEEDED}: a run did not succeed. "
            f"{cls.WRONG}: a definition, an option or the store is not usable, or an action is refused. "
            f"{cls.TIMED_OUT}: the time ran out."
        )

    @classmethod
    def worst(cls, *codes: Exit) -> Exit:
        """One code for several runs: time that ran out hides how they would have ended."""
        return max(codes, default=cls.OK)
