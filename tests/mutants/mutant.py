"""A seeded bug: what it changes, which promise it breaks, and which tests must notice."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

__all__ = ["ROOT", "Edit", "Misfit", "Mutant"]

ROOT = Path(__file__).resolve().parents[2]


class Misfit(Exception):
    """A mutant does not fit the code: it must be repaired, and has proved nothing."""


@frozen
class Edit:
    """Replaces ``old``, which must occur exactly once in the file (relative to the root of the repository), by
    ``new``."""

    file: str
    old: str
    new: str

    @property
    def path(self) -> Path:
        return ROOT / self.file

    def apply(self, text: str) -> str:
        """The mutated text of the file.

        Raises:
            Misfit: the old text is missing, or occurs more than once.
        """
        count = text.count(self.old)
        if count != 1:
            raise Misfit(f"{self.file}: {count} times, not once: {self.old!r}")
        return text.replace(self.old, self.new)


@frozen
class Mutant:
    """``breaks`` names the promise; ``caught_by`` are arguments of pytest: few and fast tests, one of which must fail.

    ``stores`` are the servers that these tests need: "postgres", "redis".
    """

    name: str
    breaks: str
    edits: tuple[Edit, ...]
    caught_by: tuple[str, ...]
    stores: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises Misfit: some text has changed, or the result is not valid Python."""
        for edit in self.edits:
            text = edit.apply(edit.path.read_text(encoding="utf-8"))
            if edit.path.suffix == ".py":
                try:
                    compile(text, edit.file, "exec")
                except SyntaxError as error:
                    raise Misfit(f"{self.name}: {edit.file} is not valid Python any more: {error}") from None
