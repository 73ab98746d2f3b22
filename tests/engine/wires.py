"""A connection to a store on which a test decides what becomes of each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

VERBS = frozenset(
    {"claim", "renew", "release", "commit", "last_position", "load_flows", "read_flow", "read_log", "send", "receive"}
    | {
        "message",
        "purge_messages",
        "push",
        "definition",
        "start",
        "pending_starts",
        "acknowledge_starts",
        "run",
        "list_runs",
    }
    | {"prune", "pruned_through", "open_cursor", "move_cursor", "cursors", "drop_cursor"}
)


class Wire:
    """Passes calls on. ``before`` sees each one first, and may raise; ``calls`` are the names of all of them."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self.calls: list[str] = []
        self.before: Callable[[str, tuple[Any, ...], dict[str, Any]], None] = lambda _verb, _args, _options: None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._storage, name)
        if name not in VERBS:
            return method

        def call(*args: Any, **options: Any) -> Any:
            self.calls.append(name)
            self.before(name, args, options)
            return method(*args, **options)

        return call

    def breaks(self, error: Exception, verbs: frozenset[str] = VERBS) -> None:
        """From now on these verbs raise, each time another exception of the same kind."""

        def before(verb: str, _args: tuple[Any, ...], _options: dict[str, Any]) -> None:
            if verb in verbs:
                raise type(error)(*error.args)

        self.before = before

    def heals(self) -> None:
        self.before = lambda _verb, _args, _options: None
