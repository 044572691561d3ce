"""Puts a saved payment method where the old one sat, and has what is open tried again at once."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from accounts.gateways.stripe.sessions import SetupFacts
from accounts.models import (
    Account,
    BillingCustomer,
    BillingOrder,
    Job,
    MadeBy,
    OrderKind,
    OrderState,
    PaymentMethod,
    Subscription,
    Workspace,
)
from accounts.services.billing_orders import OrderRefused, method_parameters, place_order
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import current_workspace_id
from dunning.queries.case_facts import current_method
from dunning.queries.owed import open_cases, open_invoices
from dunning.queries.pay_methods import running_subscriptions
from dunning.services.case_verbs import CaseRefused, card_updated
from dunning.services.collecting import LOOK_JOB
from dunning.services.method_charges import charge_by_name, close_questions_of, was_charged

SET_SOURCE = "dunning.card_set"


def is_used(order: BillingOrder) -> bool:
    """Somebody has saved a method on this page."""
    return bool(sets_of(order).exists())


def sets_of(order: BillingOrder) -> Any:
    """The orders that put the saved method in its place, for each place the newest one."""
    orders = BillingOrder.objects.filter(source_type=SET_SOURCE, source_id=order.pk)
    return orders.order_by("subscription_id", "-pk").distinct("subscription_id")


def charges_since(order: BillingOrder) -> set[str]:
    """States of the account's charges that were ordered after this page was."""
    charges = BillingOrder.objects.filter(account_id=order.account_id, kind=OrderKind.PAY)
    return set(charges.filter(planned_at__gte=order.planned_at).values_list("state", flat=True))


def _places(account: Account, customer: BillingCustomer | None) -> list[Subscription | None]:
    """Where the method sits that failed, or will be charged next: subscriptions with one of their own, and None for
    the customer. Those of open invoices; where nothing is open, those that go on."""
    invoices = [one for one in open_invoices(account) if customer and one.customer_id == customer.pk]
    if invoices:
        served = {one.subscription_id: one.subscription for one in invoices}
    else:
        served = {one.pk: one for one in running_subscriptions(account, customer)}
    own = sorted((sub for sub in served.values() if sub and sub.default_method), key=lambda sub: sub.pk)
    others = len(served) > len(own) or not own
    return [*own, *([None] if others else [])]


def put_in_place(order: BillingOrder, facts: SetupFacts, *, now: datetime) -> None:
    """Order the new method to be where the old one sat: on each subscription with one of its own, else with
    the customer. In the running transaction."""
    account, customer = order.account, order.customer
    targets = _places(account, customer)
    for subscription in targets:
        try:
            place_order(
                kind=OrderKind.SET_METHOD,
                account_id=account.pk,
                cause=f"page:{order.pk}",
                day=today(now),
                now=now,
                subscription=subscription,
                customer=customer,
                parameters=method_parameters(subscription=subscription, method=facts.method_id),
                made_by=MadeBy.PERSON,
                method=facts.method_id,
                source_type=SET_SOURCE,
                source_id=order.pk,
            )
        except OrderRefused:  # ordered by the other door
            continue


def on_method_set(order: BillingOrder, now: datetime) -> None:
    """The new method is in its place: the mirror says so, and every case that it concerns tries again at once.

    Where the provider would not put it there, what is open is charged with it once, by name.
    """
    if order.state in (OrderState.FAILED, OrderState.BY_HAND):
        charge_by_name(order, now=now)
    if order.state != OrderState.SUCCEEDED:
        return
    if "invoice_settings" in order.parameters:
        BillingCustomer.objects.filter(pk=order.customer_id).update(default_method=order.method)
    else:
        Subscription.objects.filter(pk=order.subscription_id).update(default_method=order.method)
    close_questions_of(order, now=now)
    method = PaymentMethod.objects.filter(external_id=order.method).first()
    for case in sorted(open_cases(order.account_id), key=lambda case: case.pk):
        there = current_method(case.invoice)
        if there is None or there.external_id != order.method:
            continue
        # By name, when this was refused before: the case's plan goes on from there.
        if was_charged(case, order.method):
            Job.objects.put(LOOK_JOB, case.invoice_id)
            continue
        try:
            card_updated(
                case=case,
                now=now,
                made_by="person",
                brand=method.brand if method else "",
                last4=method.last4 if method else "",
            )
        except CaseRefused:  # closed at this moment
            continue


def today(now: datetime) -> date:
    return local_day(now, Workspace.objects.get(pk=current_workspace_id()).zone)
