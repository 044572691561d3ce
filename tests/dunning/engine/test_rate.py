"""Many retries due at one instant: the provider is asked no faster than it allows, and its "slow down" loses nothing."""

from __future__ import annotations

import os
import time

import pytest
from django.utils import timezone

from accounts.models import BillingConnection, BillingOrder
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from tests.dunning.engine import world
from tests.dunning.engine.draining import Drainers
from tests.dunning.engine.test_kills import wait_until_done
from tests.fake_stripe.running import FakeStripe

pytestmark = [pytest.mark.worker, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
QUICK = int(os.environ.get("DUNNING_RATE", "50"))
MOST = 20


@pytest.mark.parametrize("count", [QUICK, pytest.param(10_000, marks=pytest.mark.soak)])
def test_never_faster_than_allowed(
    drainers: Drainers, fake_stripe: FakeStripe, cast: object, count: int
) -> None:
    scope = lambda: workspace_scope(cast.workspace.pk)  # type: ignore[attr-defined]  # noqa: E731
    with scope():
        connected = world.connect()
        connected.calls_per_second = BillingConnection._meta.get_field("calls_per_second").default
        connected.save()
        world.no_notices()
        invoices = world.fail(
            fake_stripe, [["generic_decline", "ok"], ["generic_decline", "lost_card"]], count
        )
        world.cases_with_due_retries(invoices, timezone.now())
    fake_stripe.control("POST", "stats/clear")
    fake_stripe.limits(rate_limit=25)
    # A provider that is out of breath besides.
    fake_stripe.fault("rate_limit", path="/v1/invoices/*/pay", share=0.05)
    began = time.monotonic()
    drainers.start()
    wait_until_done(patience=60 + count * 0.2)
    drainers.stop()
    stats = fake_stripe.stats()
    with scope():
        print(
            f"{count} due at once, {time.monotonic() - began:.0f} s, peak {stats['peak_per_second']} in a second,"
            f" answers {stats['by_status']}"
        )
        assert stats["peak_per_second"] <= MOST
        assert world.disagreements(fake_stripe) == {}
        assert BillingOrder.objects.filter(state__in=("succeeded", "failed")).count() == count
        assert not DunningCase.objects.filter(closing_reason="leave_past_due").exists()
        assert world.unexplained() == []
