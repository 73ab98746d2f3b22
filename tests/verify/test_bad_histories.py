"""Histories in which one promise is broken: the checker says which, where, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from maestro_flow.model.definition import RunRule, RunStrategy, Tag
from maestro_flow.model.events import (
    RunStopping,
    RunUnblocked,
    StepPaused,
    StepPermitted,
    StepProgressed,
    StepRestarting,
    StepResumed,
    StepStopping,
    StepWaiting,
)
from maestro_flow.model.permit_events import (
    PermitsCarriedOn,
    PermitsCarriedOver,
    PermitsGranted,
    PermitsReleased,
    PermitsRequested,
    Requester,
)
from maestro_flow.model.requests import RunPolicy, RunRequest
from maestro_flow.model.status import RunStatus, StepStatus
from maestro_flow.verify.checker import check
from maestro_flow.verify.history import History
from maestro_flow.verify.table import INVARIANTS, Seen
from tests.verify.story import Story, begun, cut, done, failed, over, queued, runs, starts

S, R = StepStatus, RunStatus
Case = tuple[str, str, str, Callable[[], Story]]
SEQUENTIAL = {"run_strategy": RunStrategy(RunRule.SEQUENTIAL)}
STRICT = {"run_strategy": RunStrategy(RunRule.STRICT_SEQUENTIAL)}
BRANCHING = ("a -> b:x>1", "b")
DIAMOND = ("a -> b, c:false", "b -> d", "c -> d", "d")


def a_to_b() -> Story:
    """A run of two steps, at the point where the second one begins."""
    return Story().write("1", begun(), starts("a")).write("1", done("a"), starts("b"))


def ended() -> Story:
    """A run of two steps that went well."""
    return a_to_b().write("1", done("b"), over())


def retried() -> Story:
    """A step that has failed, and is to be tried again at 10."""
    return Story("a").write("1", begun(), starts("a")).write("1", failed("a", retry_at=10.0))


def failed_for_good() -> Story:
    """A step that will not be tried again, beside one that is under way."""
    return Story("a", "b").write("1", begun(), starts("a"), starts("b")).write("1", done("a", status=S.FATALLY_FAILED))


def stopped() -> Story:
    """A run that was told to end while its first step is under way."""
    return Story().write("1", begun(), starts("a")).write("1", RunStopping("m"))


def limited() -> Story:
    """A step that needs a permit."""
    story = Story("a", tags=(Tag("db", permit=1),))
    return story.write("1", begun(), StepWaiting("a", 1, {"db": 1}))


def failing() -> Story:
    """A run that has failed, and blocks those after it."""
    story = Story("a", **STRICT).write("1", begun(), starts("a"))
    return story.write("1", done("a", status=S.FATALLY_FAILED), over(R.FAILED))


def restarted(policy: RunPolicy = RunPolicy.RESTART_FROM_INCOMPLETE, *more: Any) -> Story:
    """A run of two steps of which the second has failed, and the run that follows it."""
    story = a_to_b().write("1", done("b", status=S.FATALLY_FAILED), over(R.FAILED))
    return story.write("1/2", begun("1/2", request=RunRequest(policy=policy, previous="wf/1/1")), *more)


CARRIED_OVER = PermitsCarriedOver({}, {"x/1/1/a/1": Requester(1, {"db": 1}, 0, 0.0)}, {}, 3)


def requests(*events: Any) -> Story:
    asked = [PermitsRequested(f"x/{number}/1/a/1", {"db": 1}, 0) for number in (1, 2)]
    return Story().permits(*asked, *events)


def in_a_loop() -> Story:
    """A step whose process has died twice while it ran."""
    story = Story("a").write("1", begun(), starts("a")).write("1", runs("a"))
    story.write("1", cut("a", 2, 1), runs("a", 1, 2), generation=2, owner_id="two")
    return story


CASES: list[Case] = [
    # -- who writes, and in which order
    ("an old owner writes", "I1", "", lambda: a_to_b().write("1", done("b"), over(), generation=0)),
    ("two flows share a position", "I1", "", lambda: ended().write("2", begun("2"), position=3)),
    (
        "a revision lies before the one that it follows",
        "I1",
        "",
        lambda: a_to_b().write("1", done("b"), over(), revision=4, position=3).write("1", starts("x"), revision=3),
    ),
    (
        "two owners have one generation",
        "I2",
        "",
        lambda: a_to_b().write("1", done("b"), over(), owner_id="two"),
    ),
    ("a flow moves to another group", "I2", "", lambda: a_to_b().write("1", done("b"), over(), group_id=1)),
    # -- attempts
    ("an attempt ends twice", "I3", "a", lambda: a_to_b().write("1", done("a"))),
    ("an attempt ends twice, differently", "I3", "a", lambda: retried().write("1", done("a"))),
    ("an attempt continues after its end", "I4", "a", lambda: a_to_b().write("1", StepProgressed("a", 1))),
    ("an attempt runs after its end", "I4", "a", lambda: retried().write("1", runs("a"))),
    (
        "an old attempt continues",
        "I4",
        "a",
        lambda: retried().write("1", starts("a", 2), at=10.0).write("1", runs("a", 1), at=11.0),
    ),
    ("an attempt begins again", "I4", "a", lambda: retried().write("1", starts("a", 1), at=10.0)),
    ("an attempt starts twice", "I5", "a", lambda: Story().write("1", begun(), starts("a"), starts("a"))),
    ("an attempt runs twice", "I5", "a", lambda: Story().write("1", begun(), starts("a"), runs("a"), runs("a"))),
    ("an attempt succeeds that never began", "I5", "a", lambda: Story().write("1", begun(), done("a"))),
    ("what runs becomes unsatisfied", "I5", "b", lambda: a_to_b().write("1", done("b", status=S.UNSATISFIED))),
    ("a step is resumed that was not paused", "I5", "b", lambda: a_to_b().write("1", StepResumed("b", 1))),
    (
        "what was interrupted succeeds before it ran again",
        "I5",
        "a",
        lambda: Story("a").write("1", begun(), starts("a"), runs("a")).write("1", cut("a", 2, 1), done("a")),
    ),
    ("a step that the version does not have", "I5", "z", lambda: a_to_b().write("1", starts("z"))),
    ("a revision is missing", "I5", "", lambda: a_to_b().write("1", done("b"), over(), revision=4)),
    ("the first revision is missing", "I5", "", lambda: Story().write("1", done("a"), revision=2)),
    ("two records have one revision", "I5", "", lambda: a_to_b().write("1", done("b"), over(), revision=2)),
    ("a step before the run begins", "I5", "a", lambda: Story().write("1", queued(), starts("a"))),
    ("a run is queued twice", "I5", "", lambda: Story().write("1", queued()).write("1", queued())),
    ("a run begins twice", "I5", "", lambda: a_to_b().write("1", begun())),
    ("the log of a run begins with a step", "I5", "", lambda: Story().write("1", starts("a"))),
    ("attempt 3 follows attempt 1", "I6", "a", lambda: retried().write("1", starts("a", 3), at=10.0)),
    ("the first attempt is the second", "I6", "a", lambda: Story().write("1", begun(), starts("a", 2))),
    (
        "an attempt begins beside another",
        "I6",
        "a",
        lambda: Story("a").write("1", begun(), starts("a"), starts("a", 2)),
    ),
    ("an attempt follows one that failed for good", "I6", "a", lambda: failed_for_good().write("1", starts("a", 2))),
    (
        "more retries than allowed",
        "I6",
        "a",
        lambda: (
            Story("a  error_retry_limit=1")
            .write("1", begun(), starts("a"), failed("a"))
            .write("1", starts("a", 2), failed("a", 2))
        ),
    ),
    (
        "a failure to be retried has no time for it",
        "I6",
        "a",
        lambda: Story("a").write("1", begun(), starts("a"), failed("a", retry_at=None)),
    ),
    ("a step that is complete runs again", "I7", "a", lambda: a_to_b().write("1", starts("a", 2))),
    (
        "a step runs in a restart that keeps it",
        "I7",
        "a",
        lambda: restarted(RunPolicy.RESTART_FROM_INCOMPLETE, starts("a")),
    ),
    # -- what follows what
    ("a step begins before its predecessor", "I8", "b", lambda: Story().write("1", begun(), starts("b"))),
    (
        "a step begins before its predecessor has ended",
        "I8",
        "b",
        lambda: Story().write("1", begun(), starts("a"), starts("b")),
    ),
    (
        "a step begins by an edge that is false",
        "I8",
        "c",
        lambda: Story(*DIAMOND).write("1", begun(), starts("a"), done("a"), starts("c")),
    ),
    (
        "a join begins before one of its predecessors",
        "I8",
        "d",
        lambda: (
            Story(*DIAMOND)
            .write("1", begun(), starts("a"), done("a"), done("c", status=S.UNSATISFIED))
            .write("1", starts("b"), starts("d"))
        ),
    ),
    (
        "a step is unsatisfied though an edge is true",
        "I8",
        "b",
        lambda: Story().write("1", begun(), starts("a"), done("a"), done("b", status=S.UNSATISFIED)),
    ),
    (
        "a condition has no value",
        "I8",
        "a",
        lambda: Story(*BRANCHING).write("1", begun(), starts("a"), done("a")),
    ),
    (
        "a step after one that failed",
        "I8",
        "b",
        lambda: Story().write("1", begun(), starts("a"), done("a", status=S.FATALLY_FAILED), starts("b")),
    ),
    # -- ends of runs
    ("a run ends beside a step", "I9", "b", lambda: a_to_b().write("1", over())),
    ("a run ends before a retry", "I9", "a", lambda: retried().write("1", over())),
    (
        "a run ends and forgets a step",
        "I9",
        "b",
        lambda: Story().write("1", begun(), starts("a")).write("1", done("a"), over()),
    ),
    ("a step continues in a run that has ended", "I9", "b", lambda: ended().write("1", runs("b"))),
    ("a run ends twice", "I9", "", lambda: ended().write("1", over())),
    (
        "a restart follows an active run",
        "I9",
        "",
        lambda: a_to_b().write("1/2", begun("1/2", previous="1")),
    ),
    ("a run succeeds without its step", "I10", "", lambda: failed_for_good().write("1", done("b"), over())),
    ("a run fails though all is well", "I10", "", lambda: a_to_b().write("1", done("b"), over(R.FAILED))),
    (
        "a stopped run succeeds",
        "I10",
        "",
        lambda: stopped().write("1", done("a", status=S.STOPPED), over()),
    ),
    # -- messages, commits, requests
    ("a commit is written twice", "I13", "", lambda: a_to_b().write("1", done("b"), over(), commit_id="commit 2")),
    (
        "a message takes effect twice",
        "I13",
        "",
        lambda: stopped().write("1", RunStopping("m", S.FATALLY_FAILED)),
    ),
    ("a permit is granted twice to a step", "I13", "a", lambda: limited().write("1", *[StepPermitted("a", 1)] * 2)),
    ("a log is of another run", "I14", "", lambda: Story().write("1", begun("2"))),
    (
        "a restart does not follow the run before it",
        "I14",
        "",
        lambda: ended().write("1/3", begun("1/3", previous="1")),
    ),
    # -- after a stop
    ("a step begins after a stop", "I17", "b", lambda: stopped().write("1", done("a"), starts("b"))),
    ("a retry after a stop", "I17", "a", lambda: stopped().write("1", failed("a", retry_at=20.0))),
    (
        "a stopped attempt is retried",
        "I17",
        "a",
        lambda: (
            Story("a")
            .write("1", begun(), starts("a"), StepStopping("a", 1, S.STOPPED))
            .write("1", failed("a", retry_at=20.0))
        ),
    ),
    (
        "what waits ends otherwise than the run",
        "I17",
        "b",
        lambda: (
            Story("a", "b")
            .write("1", begun(), starts("a"), StepPaused("b", 1), RunStopping("m"))
            .write("1", done("b", status=S.SKIPPED))
        ),
    ),
    (
        "an attempt is told to end twice",
        "I17",
        "a",
        lambda: Story("a").write("1", begun(), starts("a"), *[StepStopping("a", 1, S.STOPPED)] * 2),
    ),
    ("a run is stopped twice", "I17", "", lambda: stopped().write("1", RunStopping("n"))),
    # -- limits
    (
        "two runs of a sequential workflow",
        "I18",
        "",
        lambda: Story("a", **SEQUENTIAL).write("1", begun("1"), starts("a")).write("2", begun("2")),
    ),
    (
        "more runs than the workflow allows",
        "I18",
        "",
        lambda: (
            Story("a", run_strategy=RunStrategy(RunRule.PARALLEL, 2))
            .write("1", begun("1"))
            .write("2", begun("2"))
            .write("3", begun("3"))
        ),
    ),
    ("a run begins while a failed one blocks", "I18", "", lambda: failing().write("2", queued("2"), begun("2"))),
    ("a step begins without its permit", "I18", "a", lambda: limited().write("1", starts("a"))),
    (
        "more steps of a run than it allows",
        "I18",
        "b",
        lambda: Story("a", "b", instance_step_concurrency=1).write("1", begun(), starts("a"), starts("b")),
    ),
    (
        "more permits than a tag has",
        "I18",
        "",
        lambda: requests(PermitsGranted("x/1/1/a/1"), PermitsGranted("x/2/1/a/1")),
    ),
    # -- the permit flow
    ("a permit for nobody", "I5", "", lambda: requests(PermitsGranted("x/3/1/a/1"))),
    ("a request is granted twice", "I13", "", lambda: requests(*[PermitsGranted("x/1/1/a/1")] * 2)),
    ("a request is given back twice", "I13", "", lambda: requests(*[PermitsReleased("x/1/1/a/1")] * 2)),
    (
        "a permit flow continues after its end",
        "I9",
        "",
        lambda: requests().permits(PermitsCarriedOn("p")).permits(PermitsGranted("x/1/1/a/1")),
    ),
    (
        "a request is lost on the way",
        "I21",
        "",
        lambda: requests().permits(CARRIED_OVER, run=2),
    ),
    # -- what was deleted
    ("the run before a restart is gone", "I20", "", lambda: Story().write("1/2", begun("1/2", previous="1"))),
    ("the version of a run is gone", "I20", "", lambda: Story().write("1", begun(version=7))),
    ("the index has lost a run", "I20", "", lambda: ended().entry("2")),
    # -- the index
    ("the index shows another end", "I21", "", lambda: ended().entry(status=R.FAILED)),
    ("the index shows a run as live", "I21", "", lambda: ended().entry(status=R.IN_PROGRESS)),
    ("the index shows a live run as ended", "I21", "", lambda: a_to_b().entry()),
    ("a record that nobody can read", "I21", "", lambda: a_to_b().write("1", schema_version=99)),
    # -- executions
    (
        "a crash is not counted",
        "I22",
        "a",
        lambda: Story("a").write("1", begun(), starts("a"), runs("a")).write("1", cut("a", 2, 0)),
    ),
    (
        "a hand-over is counted as a crash",
        "I22",
        "a",
        lambda: Story("a").write("1", begun(), starts("a"), runs("a")).write("1", cut("a", 2, 1, handed_over=True)),
    ),
    (
        "a suspect is counted as a crash",
        "I22",
        "a",
        lambda: Story("a").write("1", begun(), starts("a")).write("1", cut("a", 2, 1)),
    ),
    (
        "an execution is passed over",
        "I23",
        "a",
        lambda: Story("a").write("1", begun(), starts("a")).write("1", cut("a", 3)),
    ),
    ("an old execution runs", "I23", "a", lambda: in_a_loop().write("1", cut("a", 3, 2), runs("a", 1, 2))),
    # -- time
    ("a retry comes early", "I24", "a", lambda: retried().write("1", starts("a", 2), at=9.0)),
    (
        "a run times out early",
        "I24",
        "",
        lambda: (
            Story("a").write("1", begun(timeout_s=100.0), starts("a")).write("1", RunStopping("", S.TIMED_OUT), at=50.0)
        ),
    ),
    ("a run times out that has no timeout", "I24", "", lambda: a_to_b().write("1", RunStopping("", S.TIMED_OUT))),
    ("a record is older than the one before it", "I24", "", lambda: a_to_b().write("1", done("b"), over(), at=1.0)),
    (
        "an old owner writes to one flow after a new one wrote to another",
        "I1",
        "",
        lambda: ended().write("2", begun("2"), starts("a"), generation=2).write("3", begun("3"), generation=1),
    ),
    # -- what others have seen
    ("an owner writes after its group was handed out", "I1", "", lambda: a_to_b().claimed(2, 2).write("1", done("b"))),
    ("a step's code is called twice", "I22", "a", lambda: ended().called("a").called("a").called("b")),
    ("code is called before it is written", "I22", "c", lambda: ended().called("a").called("c")),
    ("code is called in an execution to come", "I22", "a", lambda: ended().called("a", execution=2)),
    (
        "a later execution has an older fence",
        "I23",
        "a",
        lambda: in_a_loop().called("a", generation=2).called("a", execution=2, generation=1),
    ),
    (
        "one request has two runs",
        "I14",
        "",
        lambda: ended().write("2", begun("2")).told("start", "r", flow="1").told("start", "r", flow="2"),
    ),
    (
        "a request without an answer has another run later",
        "I16",
        "",
        lambda: (
            ended()
            .write("2", begun("2"))
            .told("start", "r", flow="1")
            .told("start", "r", "unknown", flow="")
            .told("start", "r", flow="2")
        ),
    ),
    ("a start that was confirmed is lost", "I15", "", lambda: ended().told("start", "r", flow="2")),
    ("a stop that was confirmed is lost", "I15", "", lambda: ended().told("stop", "m")),
    ("a skip that was confirmed is lost", "I15", "b", lambda: a_to_b().told("skip", "m", step="b")),
    (
        "a stop that was refused takes effect",
        "I17",
        "",
        lambda: stopped().told("stop", "m", "refused"),
    ),
    ("a promised message was not sent", "I11", "", lambda: limited().letter("other")),
    ("a message that nothing has promised", "I11", "", lambda: ended().letter("wf/1/1/a/1/request")),
    ("a message without an answer", "I12", "", lambda: ended().letter("m", outcome="")),
    ("a message took effect, and waits", "I13", "", lambda: stopped().letter("m", "waiting", "")),
    ("a message took effect, and was refused", "I13", "", lambda: stopped().letter("m", outcome="conflict: no")),
    ("a message took effect, and is dead", "I13", "", lambda: stopped().letter("m", "dead", "given up")),
    (
        "a message stops two runs",
        "I13",
        "",
        lambda: stopped().write("2", begun("2"), RunStopping("m")).letter("m"),
    ),
    ("a message is delivered for ever", "L5", "", lambda: ended().letter("m", "waiting", "", deliveries=9)),
]
QUIET: list[Case] = [
    ("a run is still queued", "L1", "", lambda: Story(**SEQUENTIAL).write("1", queued())),
    ("a retry never comes", "L1", "", retried),
    ("a step never ends", "L2", "b", a_to_b),
    ("a message is never handled", "L4", "", lambda: ended().letter("m", "waiting", "")),
]


def found(history: History) -> list[tuple[str, str]]:
    return [(violation.invariant, violation.step_id) for violation in check(history)]


@pytest.mark.parametrize(("what", "invariant", "step", "story"), CASES, ids=[case[0] for case in CASES])
def test_a_bad_history_is_found_out(what: str, invariant: str, step: str, story: Callable[[], Story]) -> None:
    assert found(story().history()) == [(invariant, step)], what


@pytest.mark.parametrize(("what", "invariant", "step", "story"), QUIET, ids=[case[0] for case in QUIET])
def test_what_does_not_end_is_found_out_when_it_should_have(
    what: str, invariant: str, step: str, story: Callable[[], Story]
) -> None:
    assert found(story().history()) == [], what
    assert found(story().history(is_quiet=True)) == [(invariant, step)], what


def test_each_promise_that_a_history_shows_is_broken_by_some_case() -> None:
    broken = {case[1] for case in CASES + QUIET}
    shown = {name for name, invariant in INVARIANTS.items() if invariant.seen_in not in (Seen.TESTS, Seen.STORE)}
    assert shown - broken == set()
    assert broken <= set(INVARIANTS)


def test_a_broken_run_hides_no_other_one() -> None:
    story = ended().write("2", begun("2"), starts("a"), starts("a")).write("3", begun("3"), done("a"))
    assert [(each.flow_id, each.invariant) for each in check(story.history())] == [("wf/2/1", "I5"), ("wf/3/1", "I5")]


def test_what_only_looks_odd_is_not_a_violation() -> None:
    """Good histories at the edges of the rules."""
    unblocked = failing().write("1", RunUnblocked("m")).write("2", queued("2"), begun("2"))
    again = failed_for_good().write("1", StepRestarting("a")).write("1", starts("a", 2)).write("1", done("a", 2))
    skipped = failed_for_good().write("1", done("a", 2, S.SKIPPED), done("b"), over())
    late = stopped().write("1", done("a")).write("1", over(R.STOPPED))
    from_b = restarted(RunPolicy.RESTART_FROM_INCOMPLETE, starts("b")).write("1/2", done("b"), over())
    passed = Story("a", **STRICT).write("1", queued("1")).write("2", queued("2", 1.0), over(R.FAILED))
    passed.write("1", begun("1"), starts("a"), done("a"), over())
    permitted = limited().write("1", StepPermitted("a", 1), starts("a"), done("a"), over())
    for story in (ended(), unblocked, passed, again, skipped, late, from_b, permitted, in_a_loop()):
        assert check(story.history()) == []
