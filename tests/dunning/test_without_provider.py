"""A company without Stripe: an invoice comes by file or API, its case tells the customer and asks a person; nothing
pretends to charge; and what is paid later closes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import BillingOrder, Job, OutboundEmail, PaymentAttempt
from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from dunning.services.case_work import look_at_case
from dunning.services.collecting import start_collecting
from health.models import QueueItem
from tests.accounts.imports.files import Importer
from tests.api_world import Caller, api_key
from tests.builders import make_account, make_contact, make_state
from tests.conftest import Cast
from tests.dunning.notices.world import let_days_pass, positions

pytestmark = pytest.mark.django_db


def drain() -> None:
    Job.objects.update(due_at=datetime(2000, 1, 1, tzinfo=UTC))
    run_due_jobs(limit=200)


def by_file(cast: Cast, tmp_path: Any, client: Any, **row: Any) -> None:
    head, values = ",".join(row), ",".join(str(value) for value in row.values())
    Importer(tmp_path, cast.workspace)("invoices", f"{head}\n{values}\n")


def by_api(cast: Cast, tmp_path: Any, client: Any, **row: Any) -> None:
    amount = round(float(row.pop("amount")) * 100)
    answer = Caller(client, api_key(cast.workspace)[1])(
        "PUT", "/invoices/", row | {"amount_minor": amount, "currency": "USD"}
    )
    assert answer.status_code in (200, 201), answer.content


@pytest.mark.parametrize("bring", [by_file, by_api])
def test_from_the_invoice_to_case_notice_and_queue(
    cast: Cast, tmp_path: Any, client: Any, bring: Any
) -> None:
    now = timezone.now()
    due = (now - timedelta(days=1)).isoformat(timespec="seconds")
    with workspace_scope(cast.workspace.pk):
        account = make_account("Kiln", csm=cast.ben)
        make_contact(account, role="billing", email="pay@kiln.example")
        make_state(account)
        start_collecting(with_waiting=True, acting_user=cast.ada, now=now)
    row = {"external_id": "R-1", "account": account.external_id, "amount": "900.00", "due_at": due}
    bring(cast, tmp_path, client, **row, status="open", attempts=1, last_error="insufficient_funds")
    with workspace_scope(cast.workspace.pk):
        drain()
        case = DunningCase.objects.get(invoice__external_id="R-1")
        for day in range(1, 8):
            look_at_case(case.pk, now=now + timedelta(days=day))
        let_days_pass(case, 8, since=now)
        assert positions()[:1] == ["first"]
        mail = OutboundEmail.objects.filter(kind="dunning.notice").first()
        assert mail is not None and mail.contact.email == "pay@kiln.example"
        item = QueueItem.objects.get(source=f"dunning:{case.pk}")
        assert item.evidence["reason"] == "not_automatic" and item.evidence["arr_minor"] > 0
        assert not BillingOrder.objects.exists()
        assert PaymentAttempt.objects.filter(invoice=case.invoice).count() == 1
    bring(cast, tmp_path, client, **row, status="paid", paid_at=now.isoformat(timespec="seconds"), attempts=2)
    with workspace_scope(cast.workspace.pk):
        drain()
        case.refresh_from_db()
        assert (case.state, case.recovered_by) == ("recovered", "notice")
        assert QueueItem.objects.get(pk=item.pk).closed_at is not None


def test_a_bill_that_nobody_tried_to_collect_has_no_case(cast: Cast, tmp_path: Any, client: Any) -> None:
    """It is late, but nothing has failed."""
    now = timezone.now()
    with workspace_scope(cast.workspace.pk):
        account = make_account("Kiln")
        start_collecting(with_waiting=True, acting_user=cast.ada, now=now)
    row = {"external_id": "R-2", "account": account.external_id, "amount": "900.00", "status": "open"}
    by_file(cast, tmp_path, client, **row, due_at=(now - timedelta(days=9)).isoformat(timespec="seconds"))
    with workspace_scope(cast.workspace.pk):
        drain()
        assert not DunningCase.objects.exists()
