"""A question about a bill, asked on the card page: kept, put before the CSM, told at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import Account, Contact, Workspace
from accounts.services.notifications import notify, notify_admins
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import current_workspace_id
from dunning.cases.steps import QuestionAsked
from dunning.models import BillQuestion, DunningCase
from dunning.services.case_steps import record
from health.models import QueueItem, Severity
from health.services.queue import refresh_entries

QUEUE_SOURCE, NOTIFICATION = "bill_question", "dunning.question"
MOST_A_DAY = 5


class TooMany(RuntimeError):
    """So many questions about one account's bills in a day are no questions."""


@transaction.atomic
def ask(
    *, account: Account, contact: Contact | None, case: DunningCase | None, text: str, now: datetime
) -> BillQuestion:
    """Keep the question once: the same words of the same account within a day are one. Raises TooMany."""
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    recent = BillQuestion.objects.filter(account=account, asked_at__gt=now - timedelta(days=1))
    known = recent.filter(text=text).first()
    if known is not None:
        return known
    if recent.count() >= MOST_A_DAY:
        raise TooMany
    question: BillQuestion = BillQuestion.objects.create(
        case=case, account=account, contact=contact, text=text, asked_at=now
    )
    if case is not None:
        record(case, QuestionAsked(question=question.pk), now=now)
    _put_before_csm(question, case, now)
    return question


def _put_before_csm(question: BillQuestion, case: DunningCase | None, now: datetime) -> None:
    workspace = Workspace.objects.get(pk=current_workspace_id())
    account = question.account
    # Ids only: the words stay in the question, where erasing the person finds them.
    address = {"case": str(case.public_id) if case else "", "question": str(question.public_id)}
    QueueItem.objects.create(
        account=account,
        source=f"{QUEUE_SOURCE}:{question.pk}",
        severity=Severity.HIGH,
        evidence=address,
        opened_on=local_day(now, workspace.zone),
    )
    refresh_entries([account.pk])
    told = {"cause_key": f"question:{question.pk}", "context": address, "now": now}
    if account.csm is not None and account.csm.is_active:
        notify(kind=NOTIFICATION, membership=account.csm, account=account, **told)  # type: ignore[arg-type]
    else:
        notify_admins(kind=NOTIFICATION, **told)  # type: ignore[arg-type]
