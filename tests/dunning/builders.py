"""Failed payments for tests, as plain functions. Call them inside the scope of the workspace they are for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from accounts.models import Account, Invoice, PaymentAttempt
from dunning.cases.steps import Opened, Step
from dunning.models import DunningCase, DunningPolicy, DunningPolicyVersion, DunningStep
from tests.builders import NOW


def policy_version() -> DunningPolicyVersion:
    """The published version that the workspace has, or an empty one."""
    policy, _ = DunningPolicy.objects.get_or_create()
    found: DunningPolicyVersion | None = DunningPolicyVersion.objects.filter(policy=policy).first()
    return found or DunningPolicyVersion.objects.create(
        policy=policy, number=1, definition={}, published_at=NOW
    )


def make_invoice(account: Account, number: int = 1, *, failed_at: datetime, **values: Any) -> Invoice:
    """An open invoice whose first attempt failed; `card` are fields of the attempt."""
    card = values.pop("card", {})
    given = {"amount_minor": 10_000, "currency": "USD", "status": "open"} | values
    invoice = Invoice.objects.create(
        account=account, external_id=f"in_{account.pk}_{number}", due_at=failed_at, **given
    )
    PaymentAttempt.objects.create(
        invoice=invoice,
        account=account,
        number=1,
        attempted_at=failed_at,
        status="failed",
        decline_code="insufficient_funds",
        **card,
    )
    return invoice


def make_case(
    account: Account, number: int = 1, *, failed_at: datetime = NOW, card: Any = None, **values: Any
) -> DunningCase:
    """A case as its opening leaves it, or (with a state) as its end did."""
    given = {"amount_minor": 10_000, "currency": "USD"} | {
        "decline_code": "insufficient_funds",
        "decline_class": "soft_funds",
        "phase": "waiting",
        "attempts": 1,
        "step_count": 1,
    }
    given |= values
    if given.get("state", "open") != "open":
        given |= {"phase": "", "closed_at": given.get("closed_at", failed_at + timedelta(days=4))}
    invoice = make_invoice(account, number, failed_at=failed_at, card=card or {}, currency=given["currency"])
    ends_at = failed_at + timedelta(days=28)
    case: DunningCase = DunningCase.objects.create(
        invoice=invoice,
        account=account,
        policy_version=policy_version(),
        opened_at=failed_at,
        failed_at=failed_at,
        ends_at=ends_at,
        **given,
    )
    opened = Opened(
        amount_minor=case.amount_minor,
        currency=case.currency,
        failed_at=failed_at,
        ends_at=ends_at,
        decline_code=case.decline_code,
        decline_class=case.decline_class,
    )
    step = Step(at=failed_at, detail=opened)
    DunningStep.objects.create(
        case=case, number=1, kind=step.kind, detail=step.detail_json(), happened_at=failed_at
    )
    return case
