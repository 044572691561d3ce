"""The lines of a case's history. Each kind has a typed detail, stored as JSON in `DunningStep.detail`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, cast

LEAVES = "leaving"  # why a case was handed over, and why it ended without an end state


class StepKind(StrEnum):
    OPENED = "opened"
    RETRY_PLANNED = "retry_planned"
    RETRY_NOT_PLANNED = "retry_not_planned"
    RETRY_BEGUN = "retry_begun"
    RETRY_FAILED = "retry_failed"
    RETRY_SUCCEEDED = "retry_succeeded"
    RETRY_UNKNOWN = "retry_unknown"
    RETRY_SETTLED_BY_READING = "retry_settled_by_reading"
    NOTICE_BEGUN = "notice_begun"
    NOTICE_SENT = "notice_sent"
    CARD_UPDATED = "card_updated"
    CONFIRMATION_ASKED = "confirmation_asked"
    CONFIRMATION_DONE = "confirmation_done"
    QUESTION_ASKED = "question_asked"
    HANDED_OVER = "handed_over"
    TAKEN_BACK = "taken_back"
    STOPPED = "stopped"
    RESUMED = "resumed"
    LEAVING = "leaving"
    STAYING = "staying"
    MANUAL_RETRY = "manual_retry"
    NOTE = "note"
    PAID_ELSEWHERE = "paid_elsewhere"
    VOIDED = "voided"
    SUBSCRIPTION_CANCELED = "subscription_canceled"
    END_STATE_APPLIED = "end_state_applied"
    CLOSED = "closed"


# These leave what is planned as it is: the same answer after them tells nothing new.
LEAVE_PLANS = frozenset(
    {
        StepKind.NOTICE_BEGUN,
        StepKind.NOTICE_SENT,
        StepKind.QUESTION_ASKED,
        StepKind.HANDED_OVER,
        StepKind.TAKEN_BACK,
        StepKind.NOTE,
    }
)


class ReadOutcome(StrEnum):
    """What the provider holds of a try whose answer was lost."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NEVER_MADE = "never_made"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What a step says beside its time."""

    KIND: ClassVar[StepKind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Detail):
    """`attempts` so far, the first failure included; `notices_at` when the notices are to begin."""

    KIND: ClassVar = StepKind.OPENED
    amount_minor: int
    currency: str
    failed_at: datetime
    ends_at: datetime
    decline_code: str = ""
    decline_class: str = ""
    attempts: int = 1
    notices_at: datetime | None = None
    is_held_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPlanned(Detail):
    """`reason` and `data` are those of `dunning.policy.planning.Retry`."""

    KIND: ClassVar = StepKind.RETRY_PLANNED
    at: datetime
    reason: str
    data: Mapping[str, Any] = field(default_factory=dict)
    made_by: str = "platform"
    notices_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryNotPlanned(Detail):
    """`reason`, `until` and `data` are those of `dunning.policy.planning.NoRetry`."""

    KIND: ClassVar = StepKind.RETRY_NOT_PLANNED
    reason: str
    until: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    notices_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryBegun(Detail):
    """`number` is the charge's (`BillingOrder.number`); it only grows."""

    KIND: ClassVar = StepKind.RETRY_BEGUN
    number: int
    made_by: str = "platform"
    amount_minor: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryFailed(Detail):
    """A try of ours by its number; with made_by "provider" one that we only heard of (number 0 if unknown)."""

    KIND: ClassVar = StepKind.RETRY_FAILED
    number: int = 0
    made_by: str = "platform"
    decline_code: str = ""
    decline_class: str = ""
    advice_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySucceeded(Detail):
    KIND: ClassVar = StepKind.RETRY_SUCCEEDED
    amount_minor: int
    currency: str = ""
    number: int = 0
    made_by: str = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryUnknown(Detail):
    KIND: ClassVar = StepKind.RETRY_UNKNOWN
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettledByReading(Detail):
    """`outcome` is a ReadOutcome."""

    KIND: ClassVar = StepKind.RETRY_SETTLED_BY_READING
    number: int
    outcome: str
    made_by: str = "platform"
    amount_minor: int = 0
    currency: str = ""
    decline_code: str = ""
    decline_class: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeBegun(Detail):
    """The sequence of notices begins; `reason` "hard", "silent_over" or "by_hand"."""

    KIND: ClassVar = StepKind.NOTICE_BEGUN
    reason: str = ""
    run: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSent(Detail):
    """`number` of the mail in the sequence, `email` the id of its OutboundEmail."""

    KIND: ClassVar = StepKind.NOTICE_SENT
    number: int
    name: str = ""
    email: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CardUpdated(Detail):
    """`made_by` "person" (card page), "provider" (the account updater) or "csm"."""

    KIND: ClassVar = StepKind.CARD_UPDATED
    made_by: str = "person"
    brand: str = ""
    last4: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationAsked(Detail):
    KIND: ClassVar = StepKind.CONFIRMATION_ASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationDone(Detail):
    KIND: ClassVar = StepKind.CONFIRMATION_DONE
    has_passed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAsked(Detail):
    """`question` is the id of a BillQuestion; its text is kept there only."""

    KIND: ClassVar = StepKind.QUESTION_ASKED
    question: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver(Detail):
    """`reason` "rule", "by_hand", "not_automatic", "nobody" or LEAVES; the ARR at stake in the report
    currency."""

    KIND: ClassVar = StepKind.HANDED_OVER
    reason: str = ""
    arr_minor: int = 0
    currency: str = ""
    queue_item: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack(Detail):
    """The hand-over was a mistake; the item of the queue is gone."""

    KIND: ClassVar = StepKind.TAKEN_BACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Detail):
    KIND: ClassVar = StepKind.STOPPED
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Detail):
    """`ends_at` moves the end, where the old one passed meanwhile."""

    KIND: ClassVar = StepKind.RESUMED
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving(Detail):
    """The customer has canceled as of `leaves_at`, which lies ahead: nobody is written to, no end is ordered."""

    KIND: ClassVar = StepKind.LEAVING
    leaves_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Staying(Detail):
    """The cancellation was taken back: the case goes on as any other."""

    KIND: ClassVar = StepKind.STAYING


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRetry(Detail):
    """A CSM asks for a retry; the charge itself follows as "retry_begun" with made_by "csm"."""

    KIND: ClassVar = StepKind.MANUAL_RETRY


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Detail):
    KIND: ClassVar = StepKind.NOTE
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidElsewhere(Detail):
    KIND: ClassVar = StepKind.PAID_ELSEWHERE
    amount_minor: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided(Detail):
    KIND: ClassVar = StepKind.VOIDED


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCanceled(Detail):
    KIND: ClassVar = StepKind.SUBSCRIPTION_CANCELED
    is_voluntary: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EndStateApplied(Detail):
    """The time is over; `end_state` is the policy's (cancel, pause, leave_past_due)."""

    KIND: ClassVar = StepKind.END_STATE_APPLIED
    end_state: str
    is_marked_uncollectible: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Detail):
    """Closed without an end state, by a person or a rule: `state` is uncollectible or canceled."""

    KIND: ClassVar = StepKind.CLOSED
    state: str
    reason: str = ""


DETAILS: dict[StepKind, type[Detail]] = {kind.KIND: kind for kind in Detail.__subclasses__()}


@dataclass(frozen=True, slots=True)
class Step:
    """One line: when, and what."""

    at: datetime
    detail: Detail

    @property
    def kind(self) -> StepKind:
        return self.detail.KIND

    @property
    def reason(self) -> str:
        """The code for `DunningStep.reason`."""
        return str(getattr(self.detail, "reason", ""))

    @classmethod
    def of_row(cls, *, kind: str, at: datetime, detail: Mapping[str, Any]) -> Step:
        """A stored line. Fields that a newer version dropped are passed over."""
        shape, shown = _SHAPES[kind]
        values = {name: _read(is_instant, detail[name]) for name, is_instant in shown if name in detail}
        return cls(at, shape(**values))

    def detail_json(self) -> dict[str, Any]:
        """The detail for its column: instants as ISO text, what is empty left out."""
        return {
            f.name: _write(value)
            for f in fields(cast(Any, self.detail))
            if (value := getattr(self.detail, f.name)) not in (None, "", {})
        }


def _write(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else value


def _read(is_instant: bool, value: Any) -> Any:
    return datetime.fromisoformat(value) if is_instant and value is not None else value


def _shown(shape: Any) -> list[tuple[str, bool]]:
    """Its fields, and whether each is an instant."""
    return [(field.name, str(field.type).startswith("datetime")) for field in fields(shape)]


# By the stored kind.
_SHAPES = {str(kind): (shape, _shown(shape)) for kind, shape in DETAILS.items()}
