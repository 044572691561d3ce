"""Steps of charges: planned, begun, and what became of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dunning.cases import steps as s
from dunning.cases.state import (
    BY_PERSON,
    BY_PLATFORM,
    BY_PROVIDER,
    CaseState,
    IllegalStep,
    Phase,
    cause_of,
    no_charge_under_way,
    not_refused_for_good,
    not_stopped,
    recover,
    rest_phase,
)
from dunning.cases.steps import ReadOutcome, StepKind
from dunning.policy.reasons import WhyNot

PHASES: dict[str, Phase] = {
    WhyNot.WAITS_FOR_CONFIRMATION: Phase.WAITING_FOR_CONFIRMATION,
    WhyNot.CHECK_FIRST: Phase.CHECKING,
    WhyNot.OUTCOME_UNKNOWN: Phase.CHECKING,
    **dict.fromkeys(
        (
            WhyNot.HARD_DECLINE,
            WhyNot.WAITS_FOR_CARD,
            WhyNot.WAITS_FOR_OTHER_METHOD,
            WhyNot.SWITCHED_OFF,
            WhyNot.ONE_ATTEMPT,
            WhyNot.CLASS_LIMIT,
            WhyNot.ENDS_FIRST,
        ),
        Phase.WAITING_FOR_CARD,
    ),
}


def retry_planned(state: CaseState, at: datetime, detail: s.RetryPlanned) -> CaseState:
    no_charge_under_way(state, detail.KIND)
    not_stopped(state, detail.KIND)
    not_refused_for_good(state, detail.KIND)
    if detail.at >= state.ends_at:
        raise IllegalStep(detail.KIND, "the retry would come after the end")
    return replace(
        state,
        phase=Phase.PLANNED_RETRY,
        next_retry_at=detail.at,
        look_at=None,
        notices_at=detail.notices_at or state.notices_at,
    )


def retry_not_planned(state: CaseState, at: datetime, detail: s.RetryNotPlanned) -> CaseState:
    no_charge_under_way(state, detail.KIND)
    phase = Phase.WAITING if detail.until else PHASES.get(detail.reason, Phase.WAITING)
    return replace(
        state,
        phase=rest_phase(state, phase),
        next_retry_at=None,
        look_at=detail.until,
        notices_at=detail.notices_at or state.notices_at,
    )


def retry_begun(state: CaseState, at: datetime, detail: s.RetryBegun) -> CaseState:
    no_charge_under_way(state, detail.KIND)
    if detail.number <= state.last_number:
        raise IllegalStep(detail.KIND, f"charge {detail.number} was begun before")
    if detail.made_by == BY_PLATFORM:
        not_stopped(state, detail.KIND)
        if state.next_retry_at is None or at < state.next_retry_at:
            raise IllegalStep(detail.KIND, "no retry is due")
    if detail.made_by != BY_PERSON:  # who pays with another card gives it in the same act
        not_refused_for_good(state, detail.KIND)
    return replace(
        state,
        phase=Phase.RETRYING,
        open_attempt=detail.number,
        last_number=detail.number,
        next_retry_at=None,
        look_at=None,
    )


def _settle(state: CaseState, kind: StepKind, number: int, made_by: str) -> CaseState:
    """The charge under way has its outcome; one of the provider's own leaves ours as it is."""
    if number == state.open_attempt and state.open_attempt is not None:
        return replace(state, open_attempt=None)
    if made_by != BY_PROVIDER:
        raise IllegalStep(kind, f"charge {number} is not under way")
    return state


def retry_failed(state: CaseState, at: datetime, detail: s.RetryFailed) -> CaseState:
    state = _settle(state, detail.KIND, detail.number, detail.made_by)
    return _after_failure(state, at, detail.decline_code, detail.decline_class)


def _after_failure(state: CaseState, at: datetime, code: str, decline_class: str) -> CaseState:
    is_settled = state.open_attempt is None
    return replace(
        state,
        attempts=state.attempts + 1,
        decline_code=code,
        decline_class=decline_class,
        last_failed_at=at,
        next_retry_at=None if is_settled else state.next_retry_at,
        look_at=None if is_settled else state.look_at,
        phase=rest_phase(state, Phase.WAITING) if is_settled else state.phase,
    )


def retry_succeeded(state: CaseState, at: datetime, detail: s.RetrySucceeded) -> CaseState:
    state = _settle(state, detail.KIND, detail.number, detail.made_by)
    return recover(state, at, detail.amount_minor, cause_of(state, detail.made_by), "paid")


def retry_unknown(state: CaseState, at: datetime, detail: s.RetryUnknown) -> CaseState:
    if detail.number != state.open_attempt:
        raise IllegalStep(detail.KIND, f"charge {detail.number} is not under way")
    return replace(state, phase=Phase.CHECKING)


def settled_by_reading(state: CaseState, at: datetime, detail: s.RetrySettledByReading) -> CaseState:
    if detail.number != state.open_attempt:
        raise IllegalStep(detail.KIND, f"charge {detail.number} is not under way")
    state = replace(state, open_attempt=None)
    if detail.outcome == ReadOutcome.SUCCEEDED:
        return recover(state, at, detail.amount_minor, cause_of(state, detail.made_by), "paid")
    if detail.outcome == ReadOutcome.FAILED:
        return _after_failure(state, at, detail.decline_code, detail.decline_class)
    if detail.outcome != ReadOutcome.NEVER_MADE:
        raise IllegalStep(detail.KIND, f"{detail.outcome} is no outcome")
    return replace(state, phase=rest_phase(state, Phase.WAITING))
