"""Who hears of a case: outgoing messages, and risks and the queue within the day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts import signals
from accounts.models import Invoice, Job
from accounts.registry import JobKind, WebhookEvent, job_kinds, webhook_events
from accounts.services.webhooks import emit, is_anybody_listening
from dunning.cases.state import State
from dunning.models import DunningCase
from dunning.registry import CaseListener, case_listeners
from health.services.at_once import AT_ONCE_JOB

OPENED, RECOVERED, CLOSED = "dunning.case_opened", "dunning.case_recovered", "dunning.case_closed"
INVOICE_JOB = "dunning.risks"
_FIELDS = {
    "case": "public_id of the case",
    "account": "external_id of the account",
    "invoice": "external_id of the invoice",
    "amount_minor": "owed when the case opened",
    "currency": "of all amounts here",
    "decline_code": "why the payment failed, in the provider's words",
    "failed_at": "the first failed try",
}
_ENDS = {"closed_at": "when the case ended", "closing_reason": "why it ended"}


def register() -> None:
    case_listeners.register(CaseListener("telling", on_opened=_opened, on_closed=_closed))
    job_kinds.register(JobKind(INVOICE_JOB, _look_at_risks, is_prepared=True))
    signals.invoice_changed.connect(INVOICE_JOB)
    webhook_events.register(WebhookEvent(OPENED, _("A payment failed and its case opened"), _FIELDS))
    webhook_events.register(
        WebhookEvent(
            RECOVERED,
            _("A failed payment came back"),
            _FIELDS
            | _ENDS
            | {
                "recovered_minor": "what was paid",
                "recovered_by": "silent_retry, notice, person or elsewhere",
            },
        )
    )
    webhook_events.register(
        WebhookEvent(
            CLOSED,
            _("A failed payment was given up"),
            _FIELDS | _ENDS | {"state": "uncollectible or canceled"},
        )
    )


def _look_at_risks(invoice_id: int) -> None:
    """An invoice changed: its account's risks look anew, once for many changes."""
    account_id = Invoice.objects.filter(pk=invoice_id).values_list("account_id", flat=True).first()
    if account_id is not None:
        Job.objects.put(AT_ONCE_JOB, account_id)


def _opened(case: DunningCase, now: datetime) -> None:
    emit(OPENED, _payload(case), cause_key=f"{case.pk}:opened", now=now)
    Job.objects.put(AT_ONCE_JOB, case.account_id)


def _closed(case: DunningCase, now: datetime) -> None:
    Job.objects.put(AT_ONCE_JOB, case.account_id)
    if not is_anybody_listening(RECOVERED if case.state == State.RECOVERED else CLOSED):
        return
    ended = {
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
        "closing_reason": case.closing_reason,
    }
    if case.state == State.RECOVERED:
        money = {"recovered_minor": case.recovered_minor, "recovered_by": case.recovered_by}
        emit(RECOVERED, _payload(case) | ended | money, cause_key=f"{case.pk}:recovered", now=now)
    else:
        emit(CLOSED, _payload(case) | ended | {"state": case.state}, cause_key=f"{case.pk}:closed", now=now)


def _payload(case: DunningCase) -> dict[str, Any]:
    return {
        "case": str(case.public_id),
        "account": case.account.external_id,
        "invoice": case.invoice.external_id,
        "amount_minor": case.amount_minor,
        "currency": case.currency,
        "decline_code": case.decline_code,
        "failed_at": case.failed_at.isoformat(),
    }
