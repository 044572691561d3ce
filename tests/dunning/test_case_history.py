"""The history of a case for the CSM who asks why now and why not: no line twice, and what comes next on top."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cs_platform.lib.scoping import workspace_scope
from dunning.cases.steps import RetryNotPlanned
from dunning.models import DunningCase
from dunning.queries.case_page import case_page, find_case
from dunning.services import case_verbs
from dunning.services.case_steps import record
from dunning.services.case_work import look_at_case
from dunning.services.cases import look_at_invoice
from tests.accounts.web import web
from tests.builders import NOW, make_account
from tests.dunning.builders import make_case
from tests.dunning.engine import world as engine_world
from tests.dunning.pay.world import Shop
from tests.fake_stripe.running import FakeStripe

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(fake_stripe: FakeStripe, cast: Any, settings: Any) -> Shop:
    settings.STRIPE_API_BASE = fake_stripe.url
    with workspace_scope(cast.workspace.pk):
        engine_world.connect(per_second=1000)
        engine_world.no_notices()
    return Shop(fake_stripe, cast)


def kinds(case: DunningCase) -> list[str]:
    return list(case.steps.order_by("number").values_list("kind", flat=True))


def test_an_unchanged_plan_is_one_line(shop: Shop) -> None:
    [case] = shop.failed("insufficient_funds")
    user, now = shop.cast.ben.user, timezone.now()
    with shop.scope():
        assert kinds(case) == ["opened", "retry_planned"]
        case_verbs.note(case=case, text="Rang them.", acting_user=user, now=now)
        case_verbs.hand_over(case=case, acting_user=user, now=now)
        look_at_invoice(case.invoice_id, now=now)
        look_at_case(case.pk, now=now)
        case_verbs.take_back(case=case, acting_user=user, now=now)
        assert kinds(case)[2:] == ["note", "handed_over", "taken_back"]
        case_verbs.stop(case=case, acting_user=user, now=now)
        case_verbs.resume(case=case, acting_user=user, now=now)
        assert kinds(case)[5:] == ["stopped", "resumed", "retry_planned"]
        assert engine_world.unexplained() == []
    page = web(user).get(f"/dunning/cases/{case.public_id}/").content.decode()
    outlook = page.partition("What comes next")[2].partition("</section>")[0]
    assert "Next retry on" in outlook and "past due" in outlook


def plans_shown(case: DunningCase) -> list[str]:
    found = find_case(case.public_id).get()
    return [line.text for line in case_page(found).lines if line.title == "No retry"]


def test_a_plan_that_moves_the_notices_only_reads_as_one_line(scope: Any) -> None:
    case = make_case(make_account("Northwind"))
    for minute in range(2):
        answer = RetryNotPlanned(reason="waits_for_card", notices_at=NOW + timedelta(days=minute))
        record(case, answer, now=NOW + timedelta(minutes=minute))
    assert len(plans_shown(case)) == 1
    record(case, RetryNotPlanned(reason="switched_off"), now=NOW + timedelta(minutes=2))
    assert len(plans_shown(case)) == 2
