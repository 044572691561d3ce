"""What may follow what in a case: a pure reducer from its steps to its state.

`apply` refuses what must not happen; a state that is not open takes no step but notes and late facts, and these
change nothing of what was decided. The columns of `DunningCase` are fields of `CaseState` by the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from dunning.cases import charges
from dunning.cases import steps as s
from dunning.cases.state import (
    ELSEWHERE,
    CaseState,
    IllegalStep,
    Phase,
    State,
    close_as,
    no_charge_under_way,
    not_leaving,
    not_refused_for_good,
    not_stopped,
    phase_unless_charging,
    recover,
    rest_phase,
)
from dunning.cases.steps import ReadOutcome, Step, StepKind

__all__ = ["CaseState", "IllegalStep", "Phase", "State", "Step", "StepKind", "apply", "replay"]

# What a closed case still takes: facts that came late, and words.
LATE = frozenset(
    {
        StepKind.RETRY_FAILED,
        StepKind.RETRY_SUCCEEDED,
        StepKind.RETRY_UNKNOWN,
        StepKind.RETRY_SETTLED_BY_READING,
        StepKind.NOTICE_SENT,
        StepKind.CARD_UPDATED,
        StepKind.CONFIRMATION_DONE,
        StepKind.QUESTION_ASKED,
        StepKind.PAID_ELSEWHERE,
        StepKind.VOIDED,
        StepKind.SUBSCRIPTION_CANCELED,
        StepKind.NOTE,
    }
)


def replay(steps: Iterable[Step]) -> CaseState:
    """The state after all steps, in the order of their numbers. Raises IllegalStep; an empty history is none."""
    state: CaseState | None = None
    for step in steps:
        state = apply(state, step)
    if state is None:
        raise ValueError("a case begins with the step that opens it")
    return state


def apply(state: CaseState | None, step: Step) -> CaseState:
    """The state after one more step. Raises IllegalStep."""
    if state is None:
        if not isinstance(step.detail, s.Opened):
            raise IllegalStep(step.kind, "a case begins by being opened")
        return _opened(step.at, step.detail)
    if step.kind is StepKind.OPENED:
        raise IllegalStep(step.kind, "the case is opened already")
    if state.is_open:
        after = _HANDLERS[step.kind](state, step.at, step.detail)
    elif step.kind in LATE:
        after = _late(state, step)
    else:
        raise IllegalStep(step.kind, f"the case is {state.state}")
    return replace(after, step_count=state.step_count + 1)


def _opened(at: datetime, detail: s.Opened) -> CaseState:
    return CaseState(
        opened_at=at,
        failed_at=detail.failed_at,
        ends_at=detail.ends_at,
        amount_minor=detail.amount_minor,
        currency=detail.currency,
        attempts=detail.attempts,
        decline_code=detail.decline_code,
        decline_class=detail.decline_class,
        last_failed_at=detail.failed_at,
        notices_at=detail.notices_at,
        is_held_out=detail.is_held_out,
    )


def _late(state: CaseState, step: Step) -> CaseState:
    """Kept in the history; of the state only what somebody must look at changes."""
    detail: Any = step.detail
    if step.kind is StepKind.NOTE:
        return state
    settles = step.kind in (
        StepKind.RETRY_FAILED,
        StepKind.RETRY_SUCCEEDED,
        StepKind.RETRY_SETTLED_BY_READING,
    )
    has_paid = step.kind in (StepKind.RETRY_SUCCEEDED, StepKind.PAID_ELSEWHERE) or (
        step.kind is StepKind.RETRY_SETTLED_BY_READING and detail.outcome == ReadOutcome.SUCCEEDED
    )
    is_same = settles and detail.number == state.open_attempt
    return replace(
        state,
        open_attempt=None if is_same else state.open_attempt,
        late_facts=state.late_facts + 1,
        late_paid_minor=state.late_paid_minor + (detail.amount_minor if has_paid else 0),
    )


def _notice_begun(state: CaseState, at: datetime, detail: s.NoticeBegun) -> CaseState:
    not_stopped(state, detail.KIND)
    not_leaving(state, detail.KIND)
    if state.notices_begun_at is not None:
        raise IllegalStep(detail.KIND, "the notices have begun")
    return replace(state, notices_begun_at=at, notices_at=at)


def _notice_sent(state: CaseState, at: datetime, detail: s.NoticeSent) -> CaseState:
    if state.notices_begun_at is None:
        raise IllegalStep(detail.KIND, "the notices have not begun")
    return replace(state, notices_sent=state.notices_sent + 1)


def _card_updated(state: CaseState, at: datetime, detail: s.CardUpdated) -> CaseState:
    updated = replace(state, card_updated_at=at, card_updated_by=detail.made_by)
    if state.open_attempt is not None:
        return updated
    return replace(updated, phase=rest_phase(state, Phase.WAITING), next_retry_at=None, look_at=None)


def _confirmation_asked(state: CaseState, at: datetime, detail: s.ConfirmationAsked) -> CaseState:
    return replace(
        state, confirmation_asked_at=at, phase=phase_unless_charging(state, Phase.WAITING_FOR_CONFIRMATION)
    )


def _confirmation_done(state: CaseState, at: datetime, detail: s.ConfirmationDone) -> CaseState:
    if state.confirmation_asked_at is None:
        raise IllegalStep(detail.KIND, "no confirmation was asked for")
    phase = Phase.WAITING if detail.has_passed else Phase.WAITING_FOR_CONFIRMATION
    return replace(state, phase=phase_unless_charging(state, phase))


def _question_asked(state: CaseState, at: datetime, detail: s.QuestionAsked) -> CaseState:
    return replace(state, question_asked_at=at)


def _handed_over(state: CaseState, at: datetime, detail: s.HandedOver) -> CaseState:
    if state.handed_over_at is not None:
        raise IllegalStep(detail.KIND, "the case is handed over already")
    handed = replace(
        state, handed_over_at=at, is_left_to_person=state.is_left_to_person or detail.reason == s.LEAVES
    )
    return replace(handed, phase=rest_phase(handed, state.phase))


def _taken_back(state: CaseState, at: datetime, detail: s.TakenBack) -> CaseState:
    if state.handed_over_at is None:
        raise IllegalStep(detail.KIND, "the case is not handed over")
    back = replace(state, handed_over_at=None)
    phase = Phase.WAITING if state.phase is Phase.HANDED else state.phase
    return replace(back, phase=rest_phase(back, phase))


def _stopped(state: CaseState, at: datetime, detail: s.Stopped) -> CaseState:
    not_stopped(state, detail.KIND)
    stopped = replace(state, stopped_at=at, next_retry_at=None, look_at=None)
    return replace(stopped, phase=phase_unless_charging(stopped, Phase.STOPPED))


def _resumed(state: CaseState, at: datetime, detail: s.Resumed) -> CaseState:
    if state.stopped_at is None:
        raise IllegalStep(detail.KIND, "the case is not stopped")
    resumed = replace(state, stopped_at=None, ends_at=detail.ends_at or state.ends_at)
    return replace(resumed, phase=phase_unless_charging(resumed, Phase.WAITING))


def _leaving(state: CaseState, at: datetime, detail: s.Leaving) -> CaseState:
    if state.leaves_at == detail.leaves_at:
        raise IllegalStep(detail.KIND, "that is known")
    return replace(state, leaves_at=detail.leaves_at)


def _staying(state: CaseState, at: datetime, detail: s.Staying) -> CaseState:
    if state.leaves_at is None:
        raise IllegalStep(detail.KIND, "nobody was leaving")
    return replace(state, leaves_at=None, is_left_to_person=False)


def _manual_retry(state: CaseState, at: datetime, detail: s.ManualRetry) -> CaseState:
    no_charge_under_way(state, detail.KIND)
    not_refused_for_good(state, detail.KIND)
    return state


def _note(state: CaseState, at: datetime, detail: s.Note) -> CaseState:
    return state


def _paid_elsewhere(state: CaseState, at: datetime, detail: s.PaidElsewhere) -> CaseState:
    return recover(state, at, detail.amount_minor, ELSEWHERE, "paid_elsewhere")


def _voided(state: CaseState, at: datetime, detail: s.Voided) -> CaseState:
    return close_as(state, at, State.CANCELED, "voided")


def _subscription_canceled(state: CaseState, at: datetime, detail: s.SubscriptionCanceled) -> CaseState:
    return close_as(state, at, State.CANCELED, "subscription_canceled")


def _end_state_applied(state: CaseState, at: datetime, detail: s.EndStateApplied) -> CaseState:
    no_charge_under_way(state, detail.KIND)
    not_stopped(state, detail.KIND)
    not_leaving(state, detail.KIND)
    if at < state.ends_at:
        raise IllegalStep(detail.KIND, "the end has not come")
    return close_as(state, at, State.UNCOLLECTIBLE, detail.end_state)


def _closed(state: CaseState, at: datetime, detail: s.Closed) -> CaseState:
    no_charge_under_way(state, detail.KIND)
    if detail.state not in (State.UNCOLLECTIBLE, State.CANCELED):
        raise IllegalStep(detail.KIND, f"a case is not closed as {detail.state}")
    return close_as(state, at, State(detail.state), detail.reason or "by_hand")


_HANDLERS: dict[StepKind, Callable[[CaseState, datetime, Any], CaseState]] = {
    StepKind.RETRY_PLANNED: charges.retry_planned,
    StepKind.RETRY_NOT_PLANNED: charges.retry_not_planned,
    StepKind.RETRY_BEGUN: charges.retry_begun,
    StepKind.RETRY_FAILED: charges.retry_failed,
    StepKind.RETRY_SUCCEEDED: charges.retry_succeeded,
    StepKind.RETRY_UNKNOWN: charges.retry_unknown,
    StepKind.RETRY_SETTLED_BY_READING: charges.settled_by_reading,
    StepKind.NOTICE_BEGUN: _notice_begun,
    StepKind.NOTICE_SENT: _notice_sent,
    StepKind.CARD_UPDATED: _card_updated,
    StepKind.CONFIRMATION_ASKED: _confirmation_asked,
    StepKind.CONFIRMATION_DONE: _confirmation_done,
    StepKind.QUESTION_ASKED: _question_asked,
    StepKind.HANDED_OVER: _handed_over,
    StepKind.TAKEN_BACK: _taken_back,
    StepKind.STOPPED: _stopped,
    StepKind.RESUMED: _resumed,
    StepKind.LEAVING: _leaving,
    StepKind.STAYING: _staying,
    StepKind.MANUAL_RETRY: _manual_retry,
    StepKind.NOTE: _note,
    StepKind.PAID_ELSEWHERE: _paid_elsewhere,
    StepKind.VOIDED: _voided,
    StepKind.SUBSCRIPTION_CANCELED: _subscription_canceled,
    StepKind.END_STATE_APPLIED: _end_state_applied,
    StepKind.CLOSED: _closed,
}
