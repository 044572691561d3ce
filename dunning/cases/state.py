"""The state of a case, and what more than one step asks of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from dunning.cases.steps import StepKind
from dunning.policy.classes import DeclineClass


class State(StrEnum):
    OPEN = "open"
    RECOVERED = "recovered"
    UNCOLLECTIBLE = "uncollectible"
    CANCELED = "canceled"


class Phase(StrEnum):
    """What an open case waits for. "waiting": a decision, or a moment that is known (`look_at`)."""

    WAITING = "waiting"
    PLANNED_RETRY = "planned_retry"
    RETRYING = "retrying"
    WAITING_FOR_CARD = "waiting_for_card"
    WAITING_FOR_CONFIRMATION = "waiting_for_confirmation"
    CHECKING = "checking"
    STOPPED = "stopped"
    HANDED = "handed"
    DONE = ""


SILENT_RETRY, NOTICE, PERSON, ELSEWHERE = "silent_retry", "notice", "person", "elsewhere"
BY_PROVIDER, BY_PLATFORM, BY_CSM, BY_PERSON = "provider", "platform", "csm", "person"
RESTING = frozenset({Phase.WAITING, Phase.WAITING_FOR_CARD, Phase.WAITING_FOR_CONFIRMATION})


class IllegalStep(ValueError):
    """A step that must not follow; nothing was changed."""

    def __init__(self, kind: StepKind, why: str) -> None:
        self.kind, self.why = kind, why
        super().__init__(f"{kind}: {why}")


@dataclass(frozen=True, slots=True)
class CaseState:
    """`open_attempt` is the number of a charge whose outcome is not known; `late_paid_minor` is money that came
    after the case was closed, which somebody must look at; `is_left_to_person` once a CSM was asked to settle it
    with a customer who leaves."""

    opened_at: datetime
    failed_at: datetime
    ends_at: datetime
    amount_minor: int
    currency: str
    state: State = State.OPEN
    phase: Phase = Phase.WAITING
    attempts: int = 1
    step_count: int = 1
    decline_code: str = ""
    decline_class: str = ""
    last_failed_at: datetime | None = None
    next_retry_at: datetime | None = None
    look_at: datetime | None = None
    open_attempt: int | None = None
    last_number: int = 0
    notices_at: datetime | None = None
    notices_begun_at: datetime | None = None
    notices_sent: int = 0
    card_updated_at: datetime | None = None
    card_updated_by: str = ""
    confirmation_asked_at: datetime | None = None
    question_asked_at: datetime | None = None
    handed_over_at: datetime | None = None
    stopped_at: datetime | None = None
    leaves_at: datetime | None = None
    is_left_to_person: bool = False
    is_held_out: bool = False
    recovered_by: str = ""
    recovered_minor: int = 0
    closing_reason: str = ""
    closed_at: datetime | None = None
    late_facts: int = 0
    late_paid_minor: int = 0

    @property
    def is_open(self) -> bool:
        return self.state is State.OPEN

    @property
    def is_refused_for_good(self) -> bool:
        """The bank wants no further charge of the card that is there."""
        if self.decline_class != DeclineClass.HARD_NETWORK:
            return False
        return self.card_updated_at is None or self.card_updated_at < (self.last_failed_at or self.failed_at)

    @property
    def is_told(self) -> bool:
        """The notices have begun; where the customer leaves, a CSM was asked instead."""
        return self.is_left_to_person if self.leaves_at is not None else self.notices_begun_at is not None

    @property
    def next_at(self) -> datetime | None:
        """When the case wants to be looked at again; None when only a fact or a person moves it."""
        if not self.is_open or self.stopped_at is not None:
            return None
        notices_at = None if self.is_told else self.notices_at
        retry = () if self.open_attempt is not None else (self.next_retry_at, self.look_at)
        return min(moment for moment in (*retry, notices_at, self.ends_at) if moment is not None)


def no_charge_under_way(state: CaseState, kind: StepKind) -> None:
    if state.open_attempt is not None:
        raise IllegalStep(kind, f"charge {state.open_attempt} has no outcome yet")


def not_stopped(state: CaseState, kind: StepKind) -> None:
    if state.stopped_at is not None:
        raise IllegalStep(kind, "the case is stopped")


def not_leaving(state: CaseState, kind: StepKind) -> None:
    if state.leaves_at is not None:
        raise IllegalStep(kind, "the customer leaves on purpose")


def not_refused_for_good(state: CaseState, kind: StepKind) -> None:
    if state.is_refused_for_good:
        raise IllegalStep(kind, "the bank refused this card for good")


def rest_phase(state: CaseState, phase: Phase) -> Phase:
    """The phase of a case that rests: stopped and handed over go before what it waits for."""
    if state.stopped_at is not None:
        return Phase.STOPPED
    return Phase.HANDED if state.handed_over_at is not None and phase in RESTING else phase


def cause_of(state: CaseState, made_by: str) -> str:
    """What is to be thanked: a person of ours, a notice (or the page it leads to), or a retry alone."""
    has_customer_acted = made_by == BY_PERSON or state.card_updated_by == BY_PERSON
    if made_by == BY_CSM or (state.handed_over_at is not None and has_customer_acted):
        return PERSON
    return NOTICE if has_customer_acted or state.notices_sent else SILENT_RETRY


def recover(state: CaseState, at: datetime, amount_minor: int, cause: str, reason: str) -> CaseState:
    closed = close_as(state, at, State.RECOVERED, reason)
    return replace(closed, recovered_by=cause, recovered_minor=amount_minor or state.amount_minor)


def close_as(state: CaseState, at: datetime, final: State, reason: str) -> CaseState:
    return replace(
        state,
        state=final,
        phase=Phase.DONE,
        closing_reason=reason,
        closed_at=at,
        next_retry_at=None,
        look_at=None,
    )


def phase_unless_charging(state: CaseState, phase: Phase) -> Phase:
    return state.phase if state.open_attempt is not None else rest_phase(state, phase)
