"""The invariants by name (docs/internals/testing.md): what each means, and where it is checked.

The log shows most violations. Some take observations (``history.Operation``, ``Execution``, messages); what no record
can show is covered by tests alone.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

__all__ = ["INVARIANTS", "Invariant", "Seen"]


class Seen(StrEnum):
    """What it takes to see that an invariant is violated."""

    LOG = "the log"
    INDEX = "the log and the index"
    OBSERVED = "the log and observations"
    STORE = "the store at one moment"
    TESTS = "tests"


@frozen
class Invariant:
    """One promise. ``checked_by`` is a module of this package, or the tests that cover it; ``remedy`` is for users."""

    meaning: str
    seen_in: Seen
    checked_by: str
    remedy: str = ""


_BUG = "Keep the store as it is, and report it with the run's `show --events --json`: it is a defect of maestro-flow"
_TWO = "Two stores may have been mixed, or one was restored while nodes ran; stop the nodes before anything else"
_STORE = "See whether the store lost writes (failover, restore, fsync off); restart the run from the beginning"
_LIVE = (
    "Start a node that reaches the store, or see in its log why it does not progress; `explain` says what a run needs"
)

INVARIANTS: dict[str, Invariant] = {
    "I1": Invariant("The generations and positions of a flow increase with its revisions", Seen.LOG, "order", _TWO),
    "I2": Invariant("A generation of a group has one owner, a flow one group", Seen.LOG, "order", _TWO),
    "I3": Invariant("An attempt ends once", Seen.LOG, "steps", _BUG),
    "I4": Invariant("Nothing happens to an attempt after its end, or after a later one began", Seen.LOG, "steps", _BUG),
    "I5": Invariant(
        "Statuses follow the published table; revisions have no gap and no second writer", Seen.LOG, "steps", _STORE
    ),
    "I6": Invariant("Attempts are 1, 2, 3, ..., each after the one before it, within budgets", Seen.LOG, "steps", _BUG),
    "I7": Invariant("A step is completed once in a run, and stands in restarts that keep it", Seen.LOG, "steps", _BUG),
    "I8": Invariant("A step begins when its predecessors are complete and an edge is true", Seen.LOG, "needs", _BUG),
    "I9": Invariant("A run ends once, when no step of it is under way or due", Seen.LOG, "runs", _BUG),
    "I10": Invariant("The status of a run follows from those of its steps", Seen.LOG, "runs", _BUG),
    "I11": Invariant("A promised message is sent, and nothing else sends one", Seen.OBSERVED, "observed", _BUG),
    "I12": Invariant("A settled message has an outcome", Seen.OBSERVED, "observed", _BUG),
    "I13": Invariant("A message, a commit and a permit request take effect once", Seen.LOG, "runs", _BUG),
    "I14": Invariant(
        "A request id has one run; a log belongs to the run that it is filed under", Seen.OBSERVED, "observed", _BUG
    ),
    "I15": Invariant("What a client was told is done is in the log", Seen.OBSERVED, "observed", _STORE),
    "I16": Invariant(
        "An operation that is repeated for lack of an answer takes effect once", Seen.OBSERVED, "observed", _BUG
    ),
    "I17": Invariant("Nothing begins in a run or an attempt after it was told to end", Seen.LOG, "steps", _BUG),
    "I18": Invariant("No more runs, steps and permits at once than allowed", Seen.LOG, "limits", _BUG),
    "I19": Invariant("A flow that fails only delays other flows", Seen.TESTS, "tests of poison", ""),
    "I20": Invariant("What is live or still needed is never deleted", Seen.INDEX, "index", _STORE),
    "I21": Invariant("The index, and the engine's own fold, say what the log says", Seen.INDEX, "index", _BUG),
    "I22": Invariant("An execution is called once, and crashes are counted", Seen.OBSERVED, "observed", _BUG),
    "I23": Invariant("Executions of a step have growing numbers and fences", Seen.OBSERVED, "observed", _BUG),
    "I24": Invariant("No timer fires early, and no record is older than the one before", Seen.LOG, "steps", _BUG),
    "L1": Invariant("Every run eventually terminates", Seen.STORE, "liveness", _LIVE),
    "L2": Invariant("A step or run with a timeout ends in time", Seen.STORE, "liveness", _LIVE),
    "L3": Invariant("A group with live runs has an owner", Seen.STORE, "liveness", _LIVE),
    "L4": Invariant("A start is taken up, a message is handled", Seen.STORE, "liveness", _LIVE),
    "L5": Invariant("A message that is delivered too often becomes a dead letter", Seen.OBSERVED, "observed", _BUG),
    "L6": Invariant("A node that is told to stop hands over in time", Seen.TESTS, "tests of ownership", ""),
    "L7": Invariant("No group starves the others of a node", Seen.TESTS, "tests of actors", ""),
}
"""By name, in order."""
