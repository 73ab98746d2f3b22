"""All errors that maestro-flow raises, in one tree.

    MaestroFlowError
    ├── DefinitionError         a definition is rejected: names the file and the path inside it
    ├── SettingsError           a setting has an illegal value, or contradicts another one
    ├── PluginError             an entry point is missing, cannot be loaded, or breaks its contract
    ├── ValueNotStorable        a value is not JSON, is too large, or is nested too deep
    ├── ParamError              a param has no value or one that does not fit: names the param, its type and the value
    ├── NotFound                no such workflow, version, run or step
    ├── Conflict                the request contradicts what is already there
    ├── SelError                an expression has no value
    │   ├── SelSyntax           the text is not valid SEL
    │   ├── SelTypeError        an operator, method or class does not exist for these types
    │   ├── SelRuntimeError     the evaluation failed: division by zero, a bad date, ``throw``
    │   └── SelLimit            the expression is too long or too deep, or takes too many steps or too much memory
    ├── RunFailed               raised by ``Run.raise_for_status``: the run did not succeed
    ├── WaitTimeout             the wait timed out; the run itself continues
    ├── Closed                  the engine or client was closed; its runs continue in the next engine on the store
    └── StorageError
        ├── StorageUnavailable  the store cannot be reached, or the outcome is unknown: repeat the identical call
        ├── StorageFailed       this process has lost the store until somebody acts and it is opened again
        │   ├── StorageUnusable     it cannot be used as it is: no access, a foreign file, read-only, closed
        │   ├── SchemaMismatch      it was written by a newer maestro-flow
        │   └── StorageReset        the server was flushed or replaced: it holds a different store now
        └── OwnershipLost       the lease is no longer current: nothing was written

A store fails in two ways, and the error says which: calls that raise ``StorageUnavailable`` are repeated until they
succeed, ``StorageFailed`` ends the node (``engine.health``). A ``StorageError`` that is neither rejects one call
because of its content; other calls may succeed.

A message says what happened to which workflow, instance and step, and what to do about it.
"""

from __future__ import annotations

__all__ = [
    "Closed",
    "Conflict",
    "DefinitionError",
    "MaestroFlowError",
    "NotFound",
    "OwnershipLost",
    "ParamError",
    "PluginError",
    "RunFailed",
    "SchemaMismatch",
    "SelError",
    "SelLimit",
    "SelRuntimeError",
    "SelSyntax",
    "SelTypeError",
    "SettingsError",
    "StorageError",
    "StorageFailed",
    "StorageReset",
    "StorageUnavailable",
    "StorageUnusable",
    "ValueNotStorable",
    "WaitTimeout",
]


class MaestroFlowError(Exception):
    """The root of the tree: catching it catches everything that maestro-flow raises on purpose."""


class DefinitionError(MaestroFlowError):
    """A workflow definition is wrong.

    ``path`` is the place inside the definition (``workflow.steps[2].step.type``; empty for the whole), ``source`` the
    file it came from, if any, and ``problem`` says what is wrong and what was expected.
    """

    def __init__(self, problem: str, *, path: str = "", source: str = "") -> None:
        self.problem, self.path, self.source = problem, path, source
        super().__init__(": ".join(part for part in (source, path, problem) if part))

    def at(self, source: str) -> DefinitionError:
        """The same error with the name of the file."""
        return DefinitionError(self.problem, path=self.path, source=source)


class SettingsError(MaestroFlowError):
    """A setting has an illegal value."""


class PluginError(MaestroFlowError):
    """An entry point is missing, cannot be loaded, or breaks its contract."""


class ValueNotStorable(MaestroFlowError):
    """A value cannot be written as JSON with our closed set of tags, or exceeds a limit."""


class ParamError(MaestroFlowError):
    """A param has no value or one that does not fit; the message names the param, its type and the value."""


class NotFound(MaestroFlowError):
    """There is no such workflow, version, run or step in the store."""


class Conflict(MaestroFlowError):
    """The request contradicts what is already there: the same id with other content, or a state that forbids it."""


class SelError(MaestroFlowError):
    """A SEL expression has no value; the subclass says why. An expression never raises anything else."""


class SelSyntax(SelError):
    """The text is not valid SEL: the message names the line, the column and what was found there."""


class SelTypeError(SelError):
    """An operator, method, field or class does not exist for the types it was used with."""


class SelRuntimeError(SelError):
    """The evaluation failed with legal types: division by zero, a bad index or date, a host function, ``throw``."""


class SelLimit(SelError):
    """A limit of ``SelLimits`` was reached: the message names it."""


class RunFailed(MaestroFlowError):
    """The run has ended with a status other than SUCCEEDED."""


class WaitTimeout(MaestroFlowError, TimeoutError):
    """The caller's timeout has passed. The run itself is not affected."""


class Closed(MaestroFlowError):
    """The engine or client is closed. Its runs continue in the next engine on the store."""


class StorageError(MaestroFlowError):
    """The store refused or failed."""


class StorageUnavailable(StorageError):
    """The store cannot be reached, or the connection died and the outcome is unknown.

    Repeating the *identical* call is always safe: every verb of the protocol is idempotent (PROTOCOL 6).
    """


class StorageFailed(StorageError):
    """This process has lost the store: no call will succeed until somebody acts and the store is opened again."""


class StorageUnusable(StorageFailed):
    """The store cannot be used as it is: missing rights, a foreign file, a read-only medium; or it was closed."""


class SchemaMismatch(StorageFailed):
    """The store was written by a newer version of maestro-flow."""


class StorageReset(StorageFailed):
    """The server was flushed or replaced: it no longer holds the store that was opened; nothing was written.

    All further calls are refused until the store is opened again.
    """


class OwnershipLost(StorageError):
    """Another owner holds the group, or the cursor of the sink, now; nothing was written."""


class LogPruned(StorageError):
    """Records that a reader has not read yet were pruned: it would miss them without noticing.

    A reader that accepts the gap continues at ``pruned_through``.
    """

    def __init__(self, group_id: int, after: int, pruned_through: int) -> None:
        super().__init__(
            f"the log of group {group_id} was pruned up to position {pruned_through}, and a reader that has come to "
            f"{after} would miss what was removed; accept the gap and read on from {pruned_through}"
        )
        self.group_id, self.after, self.pruned_through = group_id, after, pruned_through
