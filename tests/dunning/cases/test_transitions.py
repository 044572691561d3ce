"""A case's history: what may follow what, and that a history always replays to its state."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dunning.cases import steps as s
from dunning.cases.transitions import CaseState, IllegalStep, Phase, State, Step, StepKind, apply, replay

T0 = datetime(2026, 11, 3, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ENDS = T0 + 28 * DAY


def opened(**more):
    values = {"amount_minor": 4_900, "currency": "USD", "failed_at": T0, "ends_at": ENDS, **more}
    return Step(T0, s.Opened(**values))


def history(*details, **more):
    """A case and then these steps, a day apart."""
    return [opened(**more), *(Step(T0 + n * DAY, detail) for n, detail in enumerate(details, 1))]


def planned(days):
    return s.RetryPlanned(at=T0 + days * DAY, reason="spaced", data={"days": 2})


def refused(*details, **more):
    with pytest.raises(IllegalStep) as caught:
        replay(history(*details, **more))
    return caught.value


def test_a_retry_from_plan_to_payment():
    state = replay(
        history(planned(2), s.RetryBegun(number=2), s.RetrySucceeded(number=2, amount_minor=4_900))
    )
    assert (state.state, state.phase, state.recovered_by) == (State.RECOVERED, Phase.DONE, "silent_retry")
    assert (state.recovered_minor, state.closing_reason, state.step_count) == (4_900, "paid", 4)
    assert state.next_at is None


def test_a_lost_answer_blocks_every_other_charge_until_it_is_read():
    lost = (planned(2), s.RetryBegun(number=2), s.RetryUnknown(number=2))
    assert replay(history(*lost)).phase is Phase.CHECKING
    for another in (
        planned(9),
        s.RetryBegun(number=3),
        s.ManualRetry(),
        s.RetryBegun(number=3, made_by="person"),
    ):
        assert "no outcome" in refused(*lost, another).why
    assert refused(*lost, s.Closed(state="canceled")).kind is StepKind.CLOSED
    free = replay(history(*lost, s.RetrySettledByReading(number=2, outcome="never_made")))
    assert (free.open_attempt, free.attempts, free.phase) == (None, 1, Phase.WAITING)
    again = refused(
        *lost,
        s.RetrySettledByReading(number=2, outcome="never_made"),
        s.RetryBegun(number=2, made_by="csm"),
    )
    assert "begun before" in again.why


@pytest.mark.parametrize(
    "details",
    [
        (s.RetryBegun(number=2),),
        (planned(5), s.RetryBegun(number=2)),
        (s.RetryUnknown(number=1),),
        (s.RetryFailed(number=2),),
        (planned(40),),
        (s.NoticeSent(number=1),),
        (s.NoticeBegun(), s.NoticeBegun()),
        (s.Resumed(),),
        (s.Stopped(), s.Stopped()),
        (s.Stopped(), planned(9)),
        (s.Stopped(), s.NoticeBegun()),
        (s.HandedOver(), s.HandedOver()),
        (s.TakenBack(),),
        (s.ConfirmationDone(),),
        (s.EndStateApplied(end_state="cancel"),),
        (s.Closed(state="recovered"),),
        (s.Staying(),),
        (s.Leaving(leaves_at=ENDS), s.Leaving(leaves_at=ENDS)),
        (s.Leaving(leaves_at=ENDS), s.NoticeBegun()),
    ],
)
def test_what_must_not_follow_is_refused(details):
    assert refused(*details)


def test_a_hard_decline_leaves_no_retry_until_another_card_is_there():
    hard = {"decline_code": "lost_card", "decline_class": "hard_network"}
    assert "for good" in refused(planned(2), **hard).why
    assert "for good" in refused(s.ManualRetry(), **hard).why
    assert "for good" in refused(s.RetryBegun(number=2, made_by="csm"), **hard).why
    card = replay(history(s.CardUpdated(), s.RetryPlanned(at=T0 + 2 * DAY, reason="new_card"), **hard))
    assert card.phase is Phase.PLANNED_RETRY


@pytest.mark.parametrize(
    ("details", "cause"),
    [
        (
            (s.NoticeBegun(), s.NoticeSent(number=1), s.RetrySucceeded(amount_minor=1, made_by="provider")),
            "notice",
        ),
        ((s.CardUpdated(), s.RetrySucceeded(amount_minor=1, made_by="provider")), "notice"),
        (
            (s.CardUpdated(made_by="provider"), s.RetrySucceeded(amount_minor=1, made_by="provider")),
            "silent_retry",
        ),
        ((s.HandedOver(), s.CardUpdated(), s.RetrySucceeded(amount_minor=1, made_by="provider")), "person"),
        (
            (
                s.RetryBegun(number=2, made_by="csm"),
                s.RetrySucceeded(number=2, amount_minor=1, made_by="csm"),
            ),
            "person",
        ),
        ((s.NoticeBegun(), s.NoticeSent(number=1), s.PaidElsewhere()), "elsewhere"),
    ],
)
def test_what_is_to_be_thanked(details, cause):
    assert replay(history(*details)).recovered_by == cause


def test_phases_follow_the_reason():
    def phase(reason, until=None, *before):
        return replay(history(*before, s.RetryNotPlanned(reason=reason, until=until))).phase

    assert phase("waits_for_confirmation") is Phase.WAITING_FOR_CONFIRMATION
    assert phase("hard_decline") is Phase.WAITING_FOR_CARD
    assert phase("check_first") is Phase.CHECKING
    assert phase("budget_used", T0 + 9 * DAY) is Phase.WAITING
    assert phase("waits_for_card", None, s.HandedOver()) is Phase.HANDED
    assert phase("waits_for_card", None, s.Stopped()) is Phase.STOPPED


def test_it_looks_again_at_the_next_thing_to_do():
    begins = T0 + 3 * DAY
    assert replay(history(planned(5), notices_at=begins)).next_at == begins
    assert replay(history(planned(2), notices_at=begins)).next_at == T0 + 2 * DAY
    assert replay(history(s.NoticeBegun(), notices_at=begins)).next_at == ENDS
    assert replay(history(s.Stopped(), notices_at=begins)).next_at is None
    longer = replay(history(s.Stopped(), s.Resumed(ends_at=ENDS + DAY)))
    assert longer.ends_at == ENDS + DAY


def test_money_that_comes_after_the_end_is_kept_for_a_person():
    state = replay(
        [
            *history(planned(2), s.RetryBegun(number=2), s.RetryUnknown(number=2), s.Voided()),
            Step(ENDS, s.RetrySettledByReading(number=2, outcome="succeeded", amount_minor=4_900)),
            Step(ENDS, s.Note(text="refunded")),
        ]
    )
    assert (state.state, state.late_paid_minor, state.late_facts) == (State.CANCELED, 4_900, 1)
    assert state.open_attempt is None


def test_rows_say_the_same_as_steps():
    steps = history(
        planned(2),
        s.RetryBegun(number=2),
        s.RetryFailed(number=2, decline_code="do_not_honor", decline_class="soft_unknown"),
        s.RetryNotPlanned(reason="budget_used", until=T0 + 9 * DAY, data={"used": 8}),
        notices_at=T0 + 3 * DAY,
    )
    rows = [(str(step.kind), step.at, step.detail_json()) for step in steps]
    assert [Step.of_row(kind=kind, at=at, detail=detail) for kind, at, detail in rows] == steps
    assert set(s.DETAILS) == set(StepKind)


def test_who_leaves_is_neither_told_nor_ended_and_a_person_is_asked_once():
    begins, leaves = T0 + 3 * DAY, s.Leaving(leaves_at=T0 + 20 * DAY)
    assert replay(history(leaves, notices_at=begins)).next_at == begins
    asked = replay(history(leaves, s.HandedOver(reason="leaving"), s.TakenBack(), notices_at=begins))
    assert asked.next_at == ENDS and asked.is_told
    with pytest.raises(IllegalStep, match="leaves on purpose"):
        apply(replay(history(leaves)), Step(ENDS, s.EndStateApplied(end_state="cancel")))
    stays = replay(history(leaves, s.HandedOver(reason="leaving"), s.Staying(), notices_at=begins))
    assert stays.next_at == begins and not stays.is_told
    told = replay(history(s.NoticeBegun(), leaves, notices_at=begins))
    assert told.next_at == T0 + DAY  # now a person is asked instead


class Histories(RuleBasedStateMachine):
    """Any order of steps: what is refused changes nothing, what is taken keeps the promises."""

    def __init__(self):
        super().__init__()
        self.taken: list[Step] = []
        self.state: CaseState | None = None
        self.now = T0
        self.successes = 0

    def try_(self, detail):
        before, step = self.state, Step(self.now, detail)
        try:
            self.state = apply(before, step)
        except IllegalStep:
            return False
        self.taken.append(step)
        if before is not None and not before.is_open:
            assert (self.state.state, self.state.closing_reason, self.state.closed_at) == (
                before.state,
                before.closing_reason,
                before.closed_at,
            )
            assert self.state.recovered_minor == before.recovered_minor
        return True

    @initialize(code=st.sampled_from(["soft_funds", "hard_network", "auth"]))
    def open(self, code):
        self.try_(s.Opened(amount_minor=100, currency="USD", failed_at=T0, ends_at=ENDS, decline_class=code))

    @rule(hours=st.integers(1, 200))
    def wait(self, hours):
        self.now += timedelta(hours=hours)

    @rule(hours=st.integers(0, 100))
    def plan(self, hours):
        self.try_(s.RetryPlanned(at=self.now + timedelta(hours=hours), reason="spaced"))

    @rule(reason=st.sampled_from(["check_first", "waits_for_card", "budget_used"]), until=st.booleans())
    def plan_none(self, reason, until):
        self.try_(s.RetryNotPlanned(reason=reason, until=self.now + DAY if until else None))

    def near(self, offset):
        """A number around the newest charge's: the right one most of the time."""
        return max(0, (self.state.last_number if self.state else 0) + offset)

    @rule(offset=st.integers(-1, 2), made_by=st.sampled_from(["platform", "csm", "person"]))
    def begin(self, offset, made_by):
        before, number = self.state, self.near(offset)
        if self.try_(s.RetryBegun(number=number, made_by=made_by)):
            assert before.open_attempt is None
            assert number > before.last_number
            if made_by == "platform":
                assert before.next_retry_at <= self.now
                assert before.stopped_at is None
            assert made_by == "person" or not before.is_refused_for_good

    @rule(
        offset=st.integers(-1, 1),
        made_by=st.sampled_from(["platform", "provider", "person"]),
        kind=st.sampled_from(["soft_funds", "hard_network"]),
    )
    def fail(self, offset, made_by, kind):
        self.try_(s.RetryFailed(number=self.near(offset), made_by=made_by, decline_class=kind))

    @rule(offset=st.integers(-1, 1), made_by=st.sampled_from(["platform", "provider", "person"]))
    def succeed(self, offset, made_by):
        self.try_(s.RetrySucceeded(number=self.near(offset), made_by=made_by, amount_minor=100))

    @rule(offset=st.integers(-1, 1))
    def lose(self, offset):
        self.try_(s.RetryUnknown(number=self.near(offset)))

    @rule(offset=st.integers(-1, 1), outcome=st.sampled_from(["succeeded", "failed", "never_made"]))
    def read(self, offset, outcome):
        self.try_(s.RetrySettledByReading(number=self.near(offset), outcome=outcome, amount_minor=100))

    @rule(
        detail=st.sampled_from(
            [
                s.NoticeBegun(),
                s.NoticeSent(number=1),
                s.CardUpdated(),
                s.ConfirmationAsked(),
                s.ConfirmationDone(),
                s.QuestionAsked(),
                s.HandedOver(),
                s.TakenBack(),
                s.Stopped(),
                s.Resumed(),
                s.Leaving(leaves_at=T0 + 9 * DAY),
                s.Staying(),
                s.HandedOver(reason="leaving"),
                s.ManualRetry(),
                s.Note(text="x"),
            ]
        )
    )
    def something(self, detail):
        self.try_(detail)

    @rule(
        detail=st.sampled_from(
            [
                s.PaidElsewhere(amount_minor=100),
                s.Voided(),
                s.SubscriptionCanceled(),
                s.EndStateApplied(end_state="pause"),
                s.Closed(state="uncollectible"),
            ]
        )
    )
    def end(self, detail):
        before = self.state
        if self.try_(detail) and before.is_open and isinstance(detail, s.EndStateApplied | s.Closed):
            assert before.open_attempt is None

    @invariant()
    def replays(self):
        if self.taken:
            rows = [(step.kind, step.at, step.detail_json()) for step in self.taken]
            assert replay(Step.of_row(kind=k, at=at, detail=d) for k, at, d in rows) == self.state

    @invariant()
    def is_whole(self):
        state = self.state
        if state is None:
            return
        assert (state.closed_at is None) == state.is_open
        assert bool(state.recovered_by) == (state.state is State.RECOVERED)
        assert state.step_count == len(self.taken)
        assert (state.phase is Phase.DONE) == (not state.is_open)
        if state.stopped_at is not None:
            assert state.next_at is None
        if state.phase is Phase.PLANNED_RETRY:
            assert state.next_retry_at is not None
        if not state.is_open:
            assert state.next_at is None and state.next_retry_at is None


class TestHistories(Histories.TestCase):
    settings = settings(
        max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )


@pytest.mark.soak
class TestManyHistories(Histories.TestCase):
    settings = settings(
        max_examples=5_000,
        stateful_step_count=50,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )

    @classmethod
    def tearDownClass(cls) -> None:
        print(f"{cls.settings.max_examples} histories of up to {cls.settings.stateful_step_count} steps")
        super().tearDownClass()
