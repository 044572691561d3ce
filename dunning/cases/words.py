"""A case in words for a CSM: each step and each reason as one short sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from cs_platform.lib.formats import money, number
from dunning.cases import steps as s
from dunning.cases.state import Phase, State
from dunning.cases.steps import ReadOutcome, Step, StepKind
from dunning.policy.classes import CLASS_WORDS, DeclineClass
from dunning.policy.code_table import decline_rule
from dunning.policy.definition import END_STATE_WORDS, EndState
from dunning.policy.reasons import Why, WhyNot

STATE_WORDS: dict[str, Promise] = {
    State.OPEN: _("Open"),
    State.RECOVERED: _("Recovered"),
    State.UNCOLLECTIBLE: _("Not collected"),
    State.CANCELED: _("Canceled"),
}
PHASE_WORDS: dict[str, Promise] = {
    Phase.WAITING: _("Waits"),
    Phase.PLANNED_RETRY: _("Retry planned"),
    Phase.RETRYING: _("Being charged"),
    Phase.WAITING_FOR_CARD: _("Waits for a card"),
    Phase.WAITING_FOR_CONFIRMATION: _("Waits for a confirmation"),
    Phase.CHECKING: _("Being checked"),
    Phase.STOPPED: _("Stopped"),
    Phase.HANDED: _("With a person"),
}
CLOSING_WORDS: dict[str, Promise] = {
    "paid": _("Paid"),
    "paid_elsewhere": _("Paid elsewhere"),
    "voided": _("The invoice was voided"),
    "subscription_canceled": _("The subscription was canceled"),
    "by_hand": _("Closed by hand"),
    "cancel": _("Time over: subscription canceled"),
    "pause": _("Time over: subscription paused"),
    "leave_past_due": _("Time over: left past due"),
    s.LEAVES: _("Time over: the customer leaves anyway"),
}
STEP_TITLES: dict[StepKind, Promise] = {
    StepKind.OPENED: _("Payment failed"),
    StepKind.RETRY_PLANNED: _("Retry planned"),
    StepKind.RETRY_NOT_PLANNED: _("No retry"),
    StepKind.RETRY_BEGUN: _("Retry begun"),
    StepKind.RETRY_FAILED: _("Retry failed"),
    StepKind.RETRY_SUCCEEDED: _("Paid"),
    StepKind.RETRY_UNKNOWN: _("Outcome unknown"),
    StepKind.RETRY_SETTLED_BY_READING: _("Outcome found"),
    StepKind.NOTICE_BEGUN: _("Notices begin"),
    StepKind.NOTICE_SENT: _("Notice sent"),
    StepKind.CARD_UPDATED: _("New payment method"),
    StepKind.CONFIRMATION_ASKED: _("Confirmation asked for"),
    StepKind.CONFIRMATION_DONE: _("Confirmation"),
    StepKind.QUESTION_ASKED: _("Question about the bill"),
    StepKind.HANDED_OVER: _("Handed over"),
    StepKind.TAKEN_BACK: _("Taken back"),
    StepKind.STOPPED: _("Stopped"),
    StepKind.RESUMED: _("Resumed"),
    StepKind.LEAVING: _("Customer leaves"),
    StepKind.STAYING: _("Customer stays"),
    StepKind.MANUAL_RETRY: _("Retry asked for"),
    StepKind.NOTE: _("Note"),
    StepKind.PAID_ELSEWHERE: _("Paid elsewhere"),
    StepKind.VOIDED: _("Invoice voided"),
    StepKind.SUBSCRIPTION_CANCELED: _("Subscription canceled"),
    StepKind.END_STATE_APPLIED: _("Time over"),
    StepKind.CLOSED: _("Closed"),
}
PLAIN_REASONS: dict[str, Promise] = {
    Why.NEW_CARD: _("there is a new payment method"),
    Why.LATE_TRY: _("the bank may have replaced the card by then"),
    Why.AFTER_CHECK: _("it was checked and is not paid yet"),
    Why.BY_HAND: _("a person wants it"),
    WhyNot.NOTHING_FAILED: _("nothing has failed"),
    WhyNot.PAID: _("it is paid"),
    WhyNot.OUTCOME_UNKNOWN: _("the outcome of the last charge is not known yet"),
    WhyNot.CASE_OVER: _("the time of this case is over"),
    WhyNot.STRIPE_RETRIES: _("Stripe retries by its own schedule"),
    WhyNot.WAITS_FOR_CONFIRMATION: _("it waits for the person to confirm at their bank"),
    WhyNot.WAITS_FOR_CARD: _("the card's details must be corrected"),
    WhyNot.WAITS_FOR_OTHER_METHOD: _("another payment method is needed"),
    WhyNot.CHECK_FIRST: _("it may be paid already; check this first"),
    WhyNot.TEST_CODE: _("a test code: test and live mode are mixed up"),
    WhyNot.SWITCHED_OFF: _("the policy does not retry this kind of refusal"),
    WhyNot.ENDS_FIRST: _("the case ends before the next retry"),
    WhyNot.NO_SLOT: _("the allowed hours leave no room"),
    WhyNot.NOT_AUTOMATIC: _("no payment provider is connected; charge it by hand"),
    WhyNot.LEAVES_BEFORE: _("the customer has canceled, and the invoice is also for the time after that"),
}


def step_words(step: Step, *, person: str = "") -> str:
    """One sentence about the step; `person` is the name of who did it, "" for the platform."""
    text = _SENTENCES[step.kind](step.detail)
    return gettext("%(person)s: %(text)s") % {"person": person, "text": text} if person else text


def reason_words(code: str, data: Mapping[str, Any] | None = None) -> str:
    """The reason of a retry, or of none, as a clause without its full stop."""
    values = dict(data or {})
    if code in _FIGURES and values:
        return _FIGURES[code](values)
    plain = PLAIN_REASONS.get(code) or _WITHOUT_FIGURES.get(code)
    return str(plain) if plain else code.replace("_", " ")


def decline_words(code: str, decline_class: str = "") -> str:
    """A refusal for a CSM: what the code says, and the class in brackets unless that is in it."""
    text = str(decline_rule(code).to_csm) if code else gettext("No reason given")
    if decline_class not in set(DeclineClass):
        return text
    kind = str(CLASS_WORDS[DeclineClass(decline_class)])
    return text if kind.lower() in text.lower() else f"{text} ({kind})"


def closing_words(reason: str) -> str:
    """Why a case is closed."""
    return str(CLOSING_WORDS.get(reason, reason.replace("_", " ")))


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


def _day(at: datetime) -> str:
    return date_format(timezone.localtime(at), "DATE_FORMAT")


def _opened(d: s.Opened) -> str:
    text = gettext("%(amount)s could not be charged. %(why)s. The case ends on %(day)s.")
    return text % {
        "amount": money(d.amount_minor, d.currency),
        "why": decline_words(d.decline_code, d.decline_class),
        "day": _day(d.ends_at),
    }


def _retry_planned(d: s.RetryPlanned) -> str:
    values = {"at": _moment(d.at), "why": reason_words(d.reason, d.data)}
    return gettext("Next retry on %(at)s: %(why)s.") % values


def _retry_not_planned(d: s.RetryNotPlanned) -> str:
    values = {"why": reason_words(d.reason, d.data)}
    if d.until is None:
        return gettext("Not retried: %(why)s.") % values
    return gettext("Not retried before %(at)s: %(why)s.") % {**values, "at": _moment(d.until)}


def _retry_begun(d: s.RetryBegun) -> str:
    return gettext("Charge %(n)s is on its way.") % {"n": number(d.number)}


def _retry_failed(d: s.RetryFailed) -> str:
    values = {"why": decline_words(d.decline_code, d.decline_class)}
    if d.made_by == "provider":
        return gettext("The payment provider's own try was refused. %(why)s.") % values
    return gettext("The charge was refused. %(why)s.") % values


def _paid(d: s.RetrySucceeded) -> str:
    values = {"amount": money(d.amount_minor, d.currency)}
    if d.made_by == "person":
        return gettext("The customer paid %(amount)s.") % values
    return gettext("%(amount)s was paid.") % values


def _read(d: s.RetrySettledByReading) -> str:
    if d.outcome == ReadOutcome.SUCCEEDED:
        text = gettext("The payment provider has it as paid: %(amount)s.")
        return text % {"amount": money(d.amount_minor, d.currency)}
    if d.outcome == ReadOutcome.FAILED:
        text = gettext("The payment provider has it as refused. %(why)s.")
        return text % {"why": decline_words(d.decline_code, d.decline_class)}
    return gettext("The payment provider never received this charge; it did not happen.")


def _notice_begun(d: s.NoticeBegun) -> str:
    if d.reason == "hard":
        return gettext("The notices begin at once: only the customer can help.")
    if d.reason == "by_hand":
        return gettext("The notices begin by hand.")
    return gettext("The silent retries did not help; the notices begin.")


def _notice_sent(d: s.NoticeSent) -> str:
    named = _NOTICES.get(d.name)
    return str(named) if named else gettext("Notice %(n)s was sent.") % {"n": number(d.number)}


# By the position in the sequence; those between the first and the last have their number.
_NOTICES: dict[str, Promise] = {
    "first": _("The first notice was sent."),
    "last": _("The last notice was sent, with the date of the end."),
}


def _card_updated(d: s.CardUpdated) -> str:
    values = {"card": " ".join(filter(None, [d.brand.title(), f"•••• {d.last4}" if d.last4 else ""]))}
    by_bank = d.made_by == "provider"
    if not values["card"]:
        return (
            gettext("The bank replaced the card.") if by_bank else gettext("There is a new payment method.")
        )
    if by_bank:
        return gettext("The bank replaced the card by %(card)s.") % values
    return gettext("There is a new payment method: %(card)s.") % values


def _confirmed(d: s.ConfirmationDone) -> str:
    if d.has_passed:
        return gettext("The person confirmed the payment.")
    return gettext("The person did not confirm the payment.")


def _handed_over(d: s.HandedOver) -> str:
    if d.reason in _HANDED:
        return str(_HANDED[d.reason])
    if d.arr_minor and d.currency:
        text = gettext("It is in the queue of the CSM, with %(arr)s ARR at stake.")
        return text % {"arr": money(d.arr_minor, d.currency)}
    return gettext("It is in the queue of the CSM.")


_HANDED: dict[str, Promise] = {
    s.LEAVES: _("The customer leaves; the CSM is to settle with them what is still owed."),
}


def _resumed(d: s.Resumed) -> str:
    if d.ends_at is None:
        return gettext("Retries and notices go on.")
    return gettext("Retries and notices go on; the case now ends on %(day)s.") % {"day": _day(d.ends_at)}


def _leaving(d: s.Leaving) -> str:
    return gettext(
        "The customer has canceled for %(day)s. What is owed until then is tried silently; nobody is written to, "
        "and no end is ordered."
    ) % {"day": _day(d.leaves_at)}


def _paid_elsewhere(d: s.PaidElsewhere) -> str:
    if not d.amount_minor:
        return gettext("It was paid another way.")
    return gettext("%(amount)s was paid another way.") % {"amount": money(d.amount_minor, d.currency)}


def _subscription_canceled(d: s.SubscriptionCanceled) -> str:
    if d.is_voluntary:
        return gettext("The customer has canceled; nobody is asked for this payment any more.")
    return gettext("The subscription has ended; nobody is asked for this payment any more.")


def _end_state(d: s.EndStateApplied) -> str:
    what = str(END_STATE_WORDS[EndState(d.end_state)]) if d.end_state in set(EndState) else d.end_state
    if d.is_marked_uncollectible:
        return gettext("The time is over. %(what)s; the invoice counts as uncollectible.") % {"what": what}
    return gettext("The time is over. %(what)s.") % {"what": what}


_SENTENCES: dict[StepKind, Callable[[Any], str]] = {
    StepKind.OPENED: _opened,
    StepKind.RETRY_PLANNED: _retry_planned,
    StepKind.RETRY_NOT_PLANNED: _retry_not_planned,
    StepKind.RETRY_BEGUN: _retry_begun,
    StepKind.RETRY_FAILED: _retry_failed,
    StepKind.RETRY_SUCCEEDED: _paid,
    StepKind.RETRY_UNKNOWN: lambda d: gettext(
        "No answer came. Nothing is charged before the outcome is known."
    ),
    StepKind.RETRY_SETTLED_BY_READING: _read,
    StepKind.NOTICE_BEGUN: _notice_begun,
    StepKind.NOTICE_SENT: _notice_sent,
    StepKind.CARD_UPDATED: _card_updated,
    StepKind.CONFIRMATION_ASKED: lambda d: gettext("The person got a link to confirm at their bank."),
    StepKind.CONFIRMATION_DONE: _confirmed,
    StepKind.QUESTION_ASKED: lambda d: gettext("A person of the customer asked about this bill."),
    StepKind.HANDED_OVER: _handed_over,
    StepKind.TAKEN_BACK: lambda d: gettext("It is out of the queue of the CSM again."),
    StepKind.STOPPED: lambda d: gettext("No retries and no notices until somebody resumes it."),
    StepKind.RESUMED: _resumed,
    StepKind.LEAVING: _leaving,
    StepKind.STAYING: lambda d: gettext("The cancellation was taken back; retries and notices go on."),
    StepKind.MANUAL_RETRY: lambda d: gettext("A retry was asked for."),
    StepKind.NOTE: lambda d: str(d.text),
    StepKind.PAID_ELSEWHERE: _paid_elsewhere,
    StepKind.VOIDED: lambda d: gettext("The invoice was voided; there is nothing to pay."),
    StepKind.SUBSCRIPTION_CANCELED: _subscription_canceled,
    StepKind.END_STATE_APPLIED: _end_state,
    StepKind.CLOSED: lambda d: closing_words(d.reason or "by_hand") + ".",
}


def _hours(values: Mapping[str, Any]) -> str:
    n = int(values["hours"])
    return ngettext("%(n)d hour", "%(n)d hours", n) % {"n": n}


def _pay_day(values: Mapping[str, Any]) -> str:
    day = date_format(date.fromisoformat(str(values["day"])), "MONTH_DAY_FORMAT")
    return gettext("%(day)s is a usual pay day") % {"day": day}


def _spaced(values: Mapping[str, Any]) -> str:
    n = int(values["days"])
    text = ngettext(
        "%(n)d day after the last refusal the bank may decide otherwise",
        "%(n)d days after the last refusal the bank may decide otherwise",
        n,
    )
    return text % {"n": n}


def _budget(values: Mapping[str, Any]) -> str:
    return gettext("%(used)s of %(limit)s tries in %(days)s days are used") % _shown(values)


def _shown(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: number(value) if isinstance(value, int) else str(value) for name, value in values.items()}


_FIGURES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    Why.TECHNICAL: lambda v: gettext("a technical error; tried again after %(hours)s") % {"hours": _hours(v)},
    Why.NETWORK_WAIT: lambda v: gettext("the card network asks to wait %(hours)s") % {"hours": _hours(v)},
    Why.PAY_DAY: _pay_day,
    Why.SPACED: _spaced,
    WhyNot.HARD_DECLINE: lambda v: gettext("the bank refused this card for good (%(code)s)") % _shown(v),
    WhyNot.ONE_ATTEMPT: lambda v: (
        gettext("cards of this country allow one try only (%(country)s)") % _shown(v)
    ),
    WhyNot.CLASS_LIMIT: lambda v: (
        gettext("%(used)s of %(limit)s retries after such a refusal are used") % _shown(v)
    ),
    WhyNot.BUDGET_USED: _budget,
    WhyNot.NETWORK_CAP: lambda v: (
        gettext("the card networks allow %(limit)s tries in %(days)s days") % _shown(v)
    ),
    WhyNot.CARD_CAP: lambda v: (
        gettext("this card had its %(limit)s tries in %(days)s days, all invoices counted") % _shown(v)
    ),
}
_WITHOUT_FIGURES: dict[str, Promise] = {
    Why.TECHNICAL: _("a technical error that may be over"),
    Why.NETWORK_WAIT: _("the card network asks to wait"),
    Why.PAY_DAY: _("a usual pay day"),
    Why.SPACED: _("the bank may decide otherwise by then"),
    WhyNot.HARD_DECLINE: _("the bank refused this card for good"),
    WhyNot.ONE_ATTEMPT: _("cards of this country allow one try only"),
    WhyNot.CLASS_LIMIT: _("the retries after such a refusal are used"),
    WhyNot.BUDGET_USED: _("the tries of the policy are used"),
    WhyNot.NETWORK_CAP: _("the card networks allow no further try now"),
    WhyNot.CARD_CAP: _("the card networks allow no further try of this card now"),
}
