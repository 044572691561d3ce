"""A case with its whole history in words, for the CSM who asks "why now" and "why not"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import BillingOrder, Invoice, PaymentAttempt, PaymentMethod
from cs_platform.lib.formats import number
from dunning.cases.steps import LEAVE_PLANS, Step, StepKind
from dunning.cases.words import STEP_TITLES, closing_words, decline_words, step_words
from dunning.models import AdvanceNotice, BillQuestion, DunningCase, DunningStep
from dunning.policy.definition import EndState, PolicyDefinition
from dunning.queries.case_facts import zone_of_payer
from dunning.queries.refused_orders import Hurdle, hurdles_of

ICONS: dict[str, tuple[str, str]] = {
    StepKind.OPENED: ("credit-card", "red"),
    StepKind.RETRY_PLANNED: ("clock", ""),
    StepKind.RETRY_NOT_PLANNED: ("pause", "amber"),
    StepKind.RETRY_BEGUN: ("refresh-cw", ""),
    StepKind.RETRY_FAILED: ("circle-alert", "red"),
    StepKind.RETRY_SUCCEEDED: ("check", "green"),
    StepKind.RETRY_UNKNOWN: ("circle-question-mark", "amber"),
    StepKind.NOTICE_BEGUN: ("mail", ""),
    StepKind.NOTICE_SENT: ("mail", ""),
    StepKind.CARD_UPDATED: ("credit-card", "green"),
    StepKind.QUESTION_ASKED: ("message-square", "amber"),
    StepKind.HANDED_OVER: ("inbox", ""),
    StepKind.TAKEN_BACK: ("undo-2", ""),
    StepKind.STOPPED: ("pause", "amber"),
    StepKind.RESUMED: ("play", ""),
    StepKind.LEAVING: ("log-out", "amber"),
    StepKind.STAYING: ("undo-2", "green"),
    StepKind.NOTE: ("sticky-note", ""),
    StepKind.PAID_ELSEWHERE: ("check", "green"),
    StepKind.END_STATE_APPLIED: ("flag", "red"),
}


PLANS = frozenset({StepKind.RETRY_PLANNED, StepKind.RETRY_NOT_PLANNED})
# What says why a charge is made next, or why none is.
SAYS_WHY = PLANS | {
    StepKind.RETRY_BEGUN,
    StepKind.RETRY_UNKNOWN,
    StepKind.CONFIRMATION_ASKED,
    StepKind.STOPPED,
}


@dataclass(frozen=True, slots=True)
class StepLine:
    """A line of the history, as the timeline component reads it."""

    when: datetime
    title: str
    text: str
    who: str = ""
    icon: str = "activity"
    tone: str = ""


@dataclass(frozen=True)
class CasePage:
    """Everything the page shows."""

    case: DunningCase
    lines: list[StepLine]
    attempts: list[PaymentAttempt]
    orders: list[BillingOrder]
    methods: list[PaymentMethod]
    siblings: list[DunningCase]
    questions: list[BillQuestion]
    advance: list[AdvanceNotice]
    refusal: str
    closing: str
    hurdles: list[Hurdle]
    outlook: list[str]


def find_case(public_id: UUID) -> QuerySet[DunningCase]:
    """The case with what its page reads of it."""
    found: QuerySet[DunningCase] = DunningCase.objects.filter(public_id=public_id).select_related(
        "account__csm__user",
        "invoice__subscription__plan",
        "invoice__customer",
        "contact",
        "policy_version",
        "notice_run",
    )
    return found


def case_page(case: DunningCase) -> CasePage:
    """The case's history, newest first, its charges and the account's other open cases; ten queries."""
    invoice = case.invoice
    others = DunningCase.objects.filter(account=case.account, state="open").exclude(pk=case.pk)
    rows = list(case.steps.select_related("acting_user").order_by("number"))
    return CasePage(
        case=case,
        lines=_lines(rows),
        attempts=list(PaymentAttempt.objects.filter(invoice=invoice).order_by("-attempted_at", "-number")),
        orders=list(BillingOrder.objects.filter(invoice=invoice, kind="pay").order_by("-id")[:20]),
        methods=_methods(invoice),
        siblings=list(others.select_related("invoice").order_by("-opened_at")[:10]),
        questions=list(case.questions.select_related("contact").order_by("-asked_at")),
        advance=list(AdvanceNotice.objects.filter(account=case.account).order_by("-id")[:5]),
        refusal=decline_words(case.decline_code, case.decline_class),
        closing=closing_words(case.closing_reason) if case.closing_reason else "",
        hurdles=hurdles_of(case),
        outlook=_outlook(case, rows) if case.state == "open" else [],
    )


def _lines(rows: list[DunningStep]) -> list[StepLine]:
    """The history, newest first; a plan that reads as the one before it, with nothing between, is one line."""
    lines: list[StepLine] = []
    said = ""
    for row in rows:
        line = _line(row)
        if row.kind in PLANS:
            if line.text == said:
                continue
            said = line.text
        elif row.kind not in LEAVE_PLANS:
            said = ""
        lines.append(line)
    return lines[::-1]


def _outlook(case: DunningCase, rows: list[DunningStep]) -> list[str]:
    """What comes next in an open case, and why: the charge, the notices, the end."""
    said = [
        step_words(Step.of_row(kind=row.kind, at=row.happened_at, detail=row.detail))
        for row in rows
        if row.kind in SAYS_WHY
    ]
    if case.stopped_at:  # its end waits too
        return said[-1:]
    there = [_customers_clock(case.next_retry_at, case.invoice)] if case.next_retry_at else []
    return [*said[-1:], *filter(None, there), _notices_next(case, rows), _end_next(case)]


def _customers_clock(at: datetime, invoice: Invoice) -> str:
    """The moment where the customer is; empty where clocks show the same."""
    zone = zone_of_payer(invoice)
    here, there = localtime(at), localtime(at, zone)
    if here.utcoffset() == there.utcoffset():
        return ""
    values = {"at": date_format(there, "DATETIME_FORMAT"), "zone": str(zone)}
    return gettext("By the customer's clock that is %(at)s (%(zone)s).") % values


def _notices_next(case: DunningCase, rows: list[DunningStep]) -> str:
    if case.leaves_at:
        return gettext("No notices: the customer leaves.")
    if any(row.kind == StepKind.NOTICE_BEGUN for row in rows):
        count = sum(row.kind == StepKind.NOTICE_SENT for row in rows)
        return gettext("The notices have begun; sent so far: %(n)s.") % {"n": number(count)}
    if case.notices_at:
        return gettext("Notices begin on %(day)s.") % {"day": _day(case.notices_at)}
    return gettext("No notices are planned.")


def _end_next(case: DunningCase) -> str:
    if case.leaves_at and case.leaves_at <= case.ends_at:
        return gettext(
            "The customer leaves on %(day)s; the case closes with that, and nothing is ordered."
        ) % {"day": _day(case.leaves_at)}
    end = PolicyDefinition.of_json(case.policy_version.definition).end_state
    return gettext("%(what)s if nothing helps until %(day)s.") % {
        "day": _day(case.ends_at),
        "what": _ENDS[end],
    }


_ENDS: dict[EndState, Promise] = {
    EndState.CANCEL: _("The subscription is canceled"),
    EndState.PAUSE: _("The subscription is paused"),
    EndState.LEAVE_PAST_DUE: _("The invoice stays past due and the case closes"),
}


def _day(at: datetime) -> str:
    return date_format(localtime(at), "DATE_FORMAT")


def _methods(invoice: Invoice) -> list[PaymentMethod]:
    if invoice.customer_id is None:
        return []
    found = PaymentMethod.objects.filter(customer_id=invoice.customer_id, detached_at__isnull=True)
    return list(found.order_by("-created_at")[:5])


def _line(row: DunningStep) -> StepLine:
    step = Step.of_row(kind=row.kind, at=row.happened_at, detail=row.detail)
    icon, tone = ICONS.get(row.kind, ("activity", ""))
    who = str(row.acting_user) if row.acting_user else ""
    return StepLine(row.happened_at, str(STEP_TITLES[step.kind]), step_words(step), who, icon, tone)
