"""Who leaves because nothing could be charged does not leave by choice: the mirror's cause reaches the churn label."""

from datetime import timedelta

import pytest

from accounts.gateways.stripe.facts import SubscriptionFacts
from accounts.models import BillingCustomer, BillingOrder, MadeBy, OrderKind, OrderState, Subscription
from accounts.services.billing_subscriptions import apply_subscription
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import workspace_scope
from health.queries.labels import labels
from tests.builders import NOW, make_account

VOLUNTARY, INVOLUNTARY = 1, 2


def facts(name, **fields):
    return SubscriptionFacts(
        id=f"sub_{name}",
        customer_id=f"cus_{name}",
        status="canceled" if fields else "active",
        currency="USD",
        items=(),
        started_at=NOW - timedelta(days=200),
        **fields,
    )


@pytest.mark.parametrize(
    ("reason", "is_ours", "kind"),
    [
        ("cancellation_requested", False, VOLUNTARY),
        ("payment_failed", False, INVOLUNTARY),
        ("cancellation_requested", True, INVOLUNTARY),
    ],
)
def test_the_cause_of_the_end_separates_the_label(cast, reason, is_ours, kind):
    ended_at = NOW - timedelta(days=10)
    with workspace_scope(cast.workspace.pk):
        account = make_account("Northwind")
        BillingCustomer.objects.create(account=account, external_id="cus_north")
        apply_subscription(facts("north"), fetched_at=NOW - timedelta(days=20), now=NOW - timedelta(days=20))
        if is_ours:  # as the end state of the dunning policy orders it
            BillingOrder.objects.create(
                kind=OrderKind.CANCEL,
                state=OrderState.SUCCEEDED,
                made_by=MadeBy.PLATFORM,
                account=account,
                subscription=Subscription.objects.get(external_id="sub_north"),
                key="cancel:1",
                on_day=local_day(ended_at, cast.workspace.zone),
                planned_at=ended_at,
                sent_at=ended_at,
            )
        gone = facts("north", ended_at=ended_at, reason=reason)
        apply_subscription(gone, fetched_at=NOW, now=NOW)
        as_of = local_day(NOW - timedelta(days=40), cast.workspace.zone)
        found = labels([as_of], horizon_days=35, known_until=local_day(NOW, cast.workspace.zone))
        assert (found.label.tolist(), found.kind.tolist()) == ([1], [kind])
