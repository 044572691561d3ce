"""Looks at the provider before anything else is tried: a refused duplicate, a person back from their bank, or the
day on which a customer was to leave."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.gateways.stripe.client import BillingError
from accounts.services.billing_orders import connected
from accounts.services.billing_pace import paced_gateway
from accounts.services.billing_refresh import Reader
from accounts.services.jobs import ComeBack, Lease
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from dunning.services.cases import look_at_invoice

UNREADABLE = timedelta(minutes=10)


def run_check(lease: Lease) -> None:
    """Handler: read the case's invoice afresh, then look at it in the transaction that writes what was read."""
    with workspace_scope(lease.workspace_id):
        lease.hold()
        case = DunningCase.objects.select_related("invoice__subscription").filter(pk=lease.object_id).first()
        way = connected()
        if case is None or way is None or not case.invoice.provider:
            return
    reader = Reader(paced_gateway(way))
    try:
        reader.read(case.invoice.external_id)
        subscription = case.invoice.subscription
        if case.leaves_at is not None and subscription is not None and subscription.provider:
            reader.read(subscription.external_id)
    except BillingError as error:
        raise ComeBack(UNREADABLE) from error
    now = timezone.now()
    with workspace_scope(lease.workspace_id):
        lease.hold()
        reader.found.apply(now=now)
        look_at_invoice(case.invoice_id, now=now)
