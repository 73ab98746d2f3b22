"""Strategies for random conversations: few names, so that collisions are the rule, and plans of commits.

A plan says what to write relative to what is there ("the revision after the last", "the newest lease but one"), so that
most commits are valid and every kind of invalid one occurs. ``conversation`` creates the commits.
"""

from __future__ import annotations

from attrs import frozen
from hypothesis import strategies as st

from maestro_flow.model.commit import Settlement
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Owner
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.process import this_process
from maestro_flow.storage.protocol import RunQuery

__all__ = [
    "ACTIVE",
    "BODIES",
    "LEASES_S",
    "MESSAGES",
    "NOWHERE",
    "OWNERS",
    "STEPS",
    "WORKFLOWS",
    "CommitPlan",
    "SendPlan",
    "a_lease",
    "appends",
    "batches",
    "forgeries",
    "groups",
    "groups_or_nowhere",
    "limits",
    "owners",
    "positions",
    "queries",
    "sends",
    "sinks",
    "starts",
    "versions",
]

ACTIVE = 2
"""Groups that the conversation involves; another owner holds all others permanently."""

OWNERS = (Owner("anna", this_process()), Owner("boris"))
WORKFLOWS = ("v", "w")
STEPS = ("x/1/1/call", "x/2/1/call")
"""Steps that start runs."""
MESSAGES = ("m1", "m2", "m3")
BODIES = (b"{}", b'{"a":1}')
LEASES_S = (4.0, 10.0)
NOWHERE = -1
"""Stands for a group that does not exist."""

owners = st.sampled_from(OWNERS)
groups = st.integers(0, ACTIVE - 1)
groups_or_nowhere = st.sampled_from([*range(ACTIVE)] * 6 + [NOWHERE])
limits = st.sampled_from([1, 2, 3, 100])
sinks = st.sampled_from(["hook", "kafka"])
positions = st.sampled_from([None, 0, 0, 1, 2, -1, 9])
versions = st.sampled_from([None] * 7 + [1, 2, 0, 9])
a_lease = st.sampled_from([*range(ACTIVE)] * 4 + [*range(ACTIVE, 2 * ACTIVE)])
"""An active group's newest lease; from ``ACTIVE`` on the one before it."""

forgeries = st.sampled_from([""] * 12 + ["owner", "generation", "group"])


def _mostly(usual: int, *others: int) -> st.SearchStrategy[int]:
    return st.sampled_from([usual] * 10 + [*others])


@frozen
class SendPlan:
    """A message to an active group. Two flows and two bodies make different messages share an id."""

    group: int
    message_id: str
    flow: int = 0
    body: bytes = BODIES[0]
    destination: str = ""
    """Empty: the group whose inbox it is in; "elsewhere": the other active one; "nowhere": one that does not exist."""

    def to(self, group_id: int, destination: int) -> Message:
        return Message(group_id, self.message_id, f"x/{self.flow}/1", "stop", self.body, destination)


@frozen
class CommitPlan:
    """One commit. The groups of its messages are relative to its own, which is 0."""

    lease: int
    forged: str
    flow: int | None
    step: int
    """0: the next revision; negative: an existing one; positive: a gap."""
    again: bool
    """Use the commit id of the existing record with that revision."""
    status: RunStatus | None
    """None: no entry."""
    blocking: bool
    flaw: str
    """"position": one that was used before; "flow", "group": the entry is for another flow, or for another group;
    "blind": also settles a message that does not exist, and lacks an entry where it needs one."""
    settles: tuple[Settlement, ...]
    sends: tuple[SendPlan, ...]


def _sends(group: st.SearchStrategy[int]) -> st.SearchStrategy[SendPlan]:
    body = st.sampled_from([BODIES[0]] * 6 + [*BODIES])
    destination = st.sampled_from([""] * 12 + ["elsewhere"] * 3 + ["nowhere"])
    message_id = st.sampled_from(MESSAGES)
    return st.builds(
        SendPlan, group=group, message_id=message_id, flow=_mostly(0, 1), body=body, destination=destination
    )


sends = _sends(groups_or_nowhere)

_settlements = st.builds(
    Settlement,
    message_id=st.sampled_from(MESSAGES),
    outcome=st.sampled_from(["applied"] * 4 + ["refused"]),
    dead=st.sampled_from([False] * 5 + [True]),
)

_commits = st.builds(
    CommitPlan,
    lease=a_lease,
    forged=forgeries,
    flow=st.sampled_from([None, 0, 0, 0, 1, 2]),
    step=_mostly(0, -1, 1),
    again=st.booleans(),
    status=st.sampled_from([RunStatus.IN_PROGRESS] * 4 + [None, None, RunStatus.SUCCEEDED, RunStatus.FAILED]),
    blocking=st.booleans(),
    flaw=st.sampled_from([""] * 12 + ["position", "flow", "group", "blind"]),
    settles=st.lists(_settlements, max_size=2).map(tuple),
    sends=st.lists(_sends(st.sampled_from([0] * 15 + [1])), max_size=2).map(tuple),
)

starts = st.builds(
    StartRequest,
    workflow_id=st.sampled_from([*WORKFLOWS * 4, "nowhere"]),
    request_id=st.sampled_from(["r1", "r2", "r3"]),
    group_id=groups_or_nowhere,
    version=versions,
    body=st.sampled_from([BODIES[0]] * 5 + [BODIES[1]]),
    after=st.sampled_from([None] * 4 + [(1, 1), (1, 1), (1, 2), (2, 1), (1, 3), (9, 1), (0, 1), (1, 0)]),
    parent=st.sampled_from([""] * 6 + [*STEPS]),
)
"""The group is to be replaced by the one that its index stands for."""

queries = st.builds(
    RunQuery,
    workflow_id=st.sampled_from([None, None, None, *WORKFLOWS, *STEPS, "x", "y", "nowhere"]),
    parent=st.sampled_from([None, None, *STEPS]),
    instance_id=st.sampled_from([None, None, None, 1, 2, 3]),
    statuses=st.frozensets(st.sampled_from([RunStatus.CREATED, RunStatus.IN_PROGRESS, RunStatus.SUCCEEDED])),
    blocking=st.sampled_from([False, False, True]),
    limit=limits,
)

appends = st.builds(
    CommitPlan,
    lease=a_lease,
    forged=forgeries,
    flow=st.sampled_from([0, 0, 0, 1, 2]),
    step=_mostly(0, -1, 1),
    again=st.booleans(),
    status=st.none(),
    blocking=st.just(False),
    flaw=st.sampled_from([""] * 6 + ["position"]),
    settles=st.just(()),
    sends=st.just(()),
)
"""One more revision of a flow and nothing else, as most commits are: a store may have a fast path for them."""

batches = st.lists(_commits, min_size=1, max_size=4)
