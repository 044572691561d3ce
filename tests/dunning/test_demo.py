"""The demo's payments: a past that the reducer accepts, and a shop whose payments fail today."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Invoice, PaymentAttempt, Subscription
from accounts.services.workspaces import add_member
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import workspace_scope
from dunning.cases.transitions import replay
from dunning.models import DunningCase
from dunning.queries.case_facts import zone_of_payer
from dunning.services.case_steps import columns_of, history
from dunning.services.demo.payments import write
from health.services.simulation.identities import TOLD_AS
from health.services.simulation.writing import write_business
from health.simulation import SimulationSpec
from tests.builders import make_user, make_workspace


@pytest.fixture
def business(db, settings):
    """Eighty customers of the last 120 days in a workspace with an owner and a CSM."""
    settings.STRIPE_API_BASE = "https://api.stripe.com"
    workspace = make_workspace("shop", owner=make_user("owner"))
    with workspace_scope(workspace.pk):
        add_member(user=make_user("csm"), role="csm", acting_user=None)
    spec = SimulationSpec(
        end=local_day(timezone.now(), workspace.zone), accounts=80, days=120, events_per_account_day=0.1
    )
    write_business(workspace=workspace, spec=spec, acting_user=None)
    return workspace


def test_the_past_is_made_of_steps_that_replay(business):
    now = timezone.now()
    write(business, now, lambda line: None)
    with workspace_scope(business.pk):
        cases = list(DunningCase.objects.all())
        assert cases and not [case for case in cases if case.state == "open"]
        for case in cases:
            state = replay(history(case))
            assert columns_of(state) == {name: getattr(case, name) for name in columns_of(state)}
            assert case.opened_at < case.closed_at <= now
    write(business, now, lambda line: None)
    with workspace_scope(business.pk):
        assert DunningCase.objects.count() == len(cases)


def test_without_a_fake_nothing_is_connected(business):
    said: list[str] = []
    write(business, timezone.now(), said.append)
    assert len(said) == 1


@pytest.mark.soak
def test_the_shop_of_these_days_fails_in_many_ways(business, settings, fake_stripe):
    settings.STRIPE_API_BASE = fake_stripe.url
    now = timezone.now()
    with workspace_scope(business.pk):
        before = Subscription.objects.count()
        mrr = dict(Subscription.objects.values_list("pk", "mrr_minor"))
    write(business, now, lambda line: None)
    with workspace_scope(business.pk):
        told = Subscription.objects.filter(provider="stripe")
        assert told and Subscription.objects.count() == before, "no subscription is there twice"
        assert all(mrr[row.pk] == row.mrr_minor for row in told), "none costs something else now"
        names = told.values_list(f"customer__properties__{TOLD_AS}", flat=True)
        assert all(name.startswith("sub-") for name in names)
        failing = Invoice.objects.filter(provider="stripe", status="open")
        open_cases = DunningCase.objects.filter(state="open", invoice__provider="stripe")
        assert failing and open_cases.count() == failing.count()
        for case in open_cases:
            assert case.opened_at - case.failed_at < timedelta(minutes=5)
            assert replay(history(case)).phase == case.phase
        assert not open_cases.filter(next_retry_at__lt=now), "what was due was made at its time"
        ours = PaymentAttempt.objects.filter(order__isnull=False, made_by="platform", attempted_at__lt=now)
        tried = ours.exclude(invoice__attempts__decline_code="processing_error")
        assert tried
        for one in tried:
            assert 6 <= one.attempted_at.astimezone(zone_of_payer(one.invoice)).hour < 10
    assert fake_stripe.summary()["doubles"] == {}
