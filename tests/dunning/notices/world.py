"""A failed payment with somebody to tell, and the jobs run in this process. Call inside the workspace's scope."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from accounts.models import Account, Contact, Invoice, Job, OutboundEmail
from accounts.services.jobs import run_due_jobs
from dunning.models import DunningCase
from dunning.services.case_work import look_at_case
from dunning.services.cases import open_case
from dunning.services.notices import follow
from health.models import SequenceRun
from health.services.sequence_engine import advance
from tests.builders import make_account, make_contact
from tests.dunning.builders import make_invoice

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def owing(name: str = "Northwind", *, code: str = "expired_card", **person: Any) -> tuple[Account, Contact]:
    account = make_account(name)
    fields = {"role": "billing", "email": f"pay@{account.external_id}.example", **person}
    return account, make_contact(account, **fields)


def failed(
    account: Account, number: int = 1, *, code: str = "expired_card", at: datetime = NOW, **values: Any
) -> Invoice:
    invoice = make_invoice(account, number, failed_at=at, **values)
    invoice.attempts.update(decline_code=code)
    return invoice


def opened(invoice: Invoice, *, now: datetime = NOW, is_held_out: bool | None = False) -> DunningCase:
    """The case, its notices begun where they are due at once. `is_held_out` None: as it was drawn."""
    case = open_case(invoice, now=now)
    assert case is not None
    if is_held_out is not None:
        hold_out(case, is_held_out)
    look_at_case(case.pk, now=now)
    case.refresh_from_db()
    return case


def hold_out(case: DunningCase, is_held_out: bool) -> None:
    """As the draw might have had it."""
    step = case.steps.get(kind="opened")
    step.detail = {**step.detail, "is_held_out": is_held_out}
    step.save(update_fields=["detail"])
    DunningCase.objects.filter(pk=case.pk).update(is_held_out=is_held_out)


def let_days_pass(case: DunningCase, days: int, *, since: datetime = NOW) -> list[str]:
    """Look every day at run and notices; returns the positions of the mails that were queued, in order."""
    for day in range(days + 1):
        moment = since + timedelta(days=day, minutes=1)
        follow(case.pk, now=moment)
        for pk in SequenceRun.objects.filter(account_id=case.account_id).values_list("pk", flat=True):
            advance(pk, now=moment)
    return positions()


def positions() -> list[str]:
    rows = OutboundEmail.objects.filter(kind="dunning.notice").order_by("pk")
    return [row.context["extra"]["position"] for row in rows]


def send_mails() -> int:
    """Everything that is queued, whatever its time."""
    Job.objects.filter(kind="accounts.send_email").update(due_at=datetime(2000, 1, 1, tzinfo=UTC))
    return run_due_jobs(limit=50, kind="accounts.send_email")
