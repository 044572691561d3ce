"""A person gives another payment method: the provider's page, reading back what was saved, putting it where the
failed one sat, and trying again at once.

Each act is an order with a key of its own, so that pressing a button twice is one act. What was saved is read from
the provider: when the person returns, when its message comes, and by looking again until the page has expired.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.gateways.stripe.client import BillingError
from accounts.gateways.stripe.sessions import SetupFacts, read_setup
from accounts.models import (
    Account,
    BillingCustomer,
    BillingOrder,
    Contact,
    Job,
    MadeBy,
    OrderKind,
    OrderState,
    PaymentMethod,
    Subscription,
    Workspace,
)
from accounts.registry import BillingReader, OrderSource, billing_readers, order_sources
from accounts.services.billing_orders import OrderRefused, connected, method_parameters, place_order
from accounts.services.billing_pace import paced_gateway
from accounts.services.billing_refresh import Reader
from accounts.services.jobs import ComeBack, Lease
from cs_platform.lib.periods import local_day
from cs_platform.lib.scoping import current_workspace_id, workspace_scope
from dunning.queries.case_facts import current_method
from dunning.queries.owed import open_cases, open_invoices
from dunning.services.case_verbs import CaseRefused, card_updated
from dunning.services.method_charges import charge_by_name, close_questions_of
from dunning.services.pay_links import RETURN_HOURS, short_token

SETUP_SOURCE, SET_SOURCE = "dunning.card", "dunning.card_set"
WATCH_JOB = "dunning.card_watch"
USED_AGAIN = timedelta(minutes=30)
MOST_A_DAY = 10
PAUSES = [timedelta(seconds=s) for s in (20, 60, 300, 900, 3600)]
CARD, ANY = "card", "any"


class TooMany(RuntimeError):
    """So many pages for one account in a day help nobody."""


def register() -> None:
    order_sources.register(OrderSource(SETUP_SOURCE, on_settled=on_page_made))
    order_sources.register(OrderSource(SET_SOURCE, on_settled=on_method_set))
    billing_readers.register(BillingReader("checkout.session.", read_message))


def begin(
    *,
    account: Account,
    contact: Contact | None,
    customer: BillingCustomer,
    kind: str,
    language: str,
    now: datetime,
) -> BillingOrder:
    """Order the provider's page; the same press again within half an hour is the same page. Raises TooMany."""
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    orders = BillingOrder.objects.filter(source_type=SETUP_SOURCE, source_id=account.pk, customer=customer)
    recent = orders.filter(planned_at__gt=now - USED_AGAIN).exclude(state__in=_OVER).order_by("-pk")
    for order in recent:
        if _is_same(order, kind, language) and not is_used(order):
            return order
    if orders.filter(planned_at__gt=now - timedelta(days=1)).count() >= MOST_A_DAY:
        raise TooMany
    return place_order(
        kind=OrderKind.SETUP,
        account_id=account.pk,
        cause=f"{account.pk}:{orders.count() + 1}",
        day=_today(now),
        now=now,
        customer=customer,
        parameters=_parameters(account, contact, customer, kind, language, now),
        made_by=MadeBy.PERSON,
        source_type=SETUP_SOURCE,
        source_id=account.pk,
    )


_OVER = (OrderState.FAILED, OrderState.CANCELED, OrderState.BY_HAND)


def _is_same(order: BillingOrder, kind: str, language: str) -> bool:
    is_card = "allowed_payment_method_types" in order.parameters
    return is_card == (kind == CARD) and order.parameters["locale"] == language


def _parameters(
    account: Account,
    contact: Contact | None,
    customer: BillingCustomer,
    kind: str,
    language: str,
    now: datetime,
) -> dict[str, Any]:
    """The link back lives as long as the provider's page, since these parameters are kept as they are sent."""
    token = str(short_token(account=account, contact=contact, lifetime=RETURN_HOURS, now=now))
    back = f"{settings.BASE_URL}{reverse('dunning:pay_done', args=[token])}"
    invoice = next(iter(open_invoices(account)), None)
    currency = (invoice.currency if invoice else customer.currency) or "USD"
    chosen = {"allowed_payment_method_types": ["card"]} if kind == CARD else {}
    return {
        "mode": "setup",
        "currency": currency.lower(),
        "locale": language,
        "success_url": f"{back}?lang={language}&session={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{settings.BASE_URL}{reverse('dunning:pay', args=[token])}?lang={language}",
        **chosen,
    }


def is_used(order: BillingOrder) -> bool:
    """Somebody has saved a method on this page."""
    return bool(sets_of(order).exists())


def sets_of(order: BillingOrder) -> Any:
    """The orders that put the saved method in its place."""
    return BillingOrder.objects.filter(source_type=SET_SOURCE, source_id=order.pk)


def on_page_made(order: BillingOrder, now: datetime) -> None:
    """The page is there: look whether somebody saves a method, also if the way back is lost."""
    if order.state == OrderState.SUCCEEDED:
        Job.objects.put(WATCH_JOB, order.pk, delay=PAUSES[0])


def look_now(order: BillingOrder) -> None:
    """The person came back, or the provider's message did: read it at once."""
    Job.objects.put(WATCH_JOB, order.pk, priority=-5)


def read_message(gateway: Any, message: Any) -> Any:
    """Reader of the provider's messages about its pages; it reads nothing itself."""

    def note() -> None:
        order = BillingOrder.objects.filter(kind=OrderKind.SETUP, provider_ref=message.object_id).first()
        if order is not None and order.source_type == SETUP_SOURCE:
            look_now(order)

    return note


def watch(lease: Lease) -> None:
    """Handler: read the page back; once a method is saved, put it in its place. Until the page has expired."""
    now = timezone.now()
    with workspace_scope(lease.workspace_id):
        lease.hold()
        order = BillingOrder.objects.filter(pk=lease.object_id).first()
        way = connected()
        if order is None or order.state != OrderState.SUCCEEDED or is_used(order) or way is None:
            return
    gateway = paced_gateway(way)
    try:
        facts = read_setup(gateway, order.provider_ref)
        reader = Reader(gateway)
        if facts.method_id:
            reader.read(facts.method_id)
    except BillingError as error:
        if error.is_absent:
            return
        raise ComeBack(PAUSES[1]) from error
    if facts.is_complete and facts.method_id:
        with workspace_scope(lease.workspace_id):
            lease.hold()
            reader.found.apply(now=timezone.now())
            put_in_place(order, facts, now=timezone.now())
    elif facts.is_open:
        raise ComeBack(_pause(now - order.planned_at))


def _pause(age: timedelta) -> timedelta:
    return next((pause for pause in PAUSES if pause * 5 > age), PAUSES[-1])


def put_in_place(order: BillingOrder, facts: SetupFacts, *, now: datetime) -> None:
    """Order the new method to be where the failed one sat: on each subscription with one of its own, else with
    the customer. In the running transaction."""
    account, customer = order.account, order.customer
    invoices = [one for one in open_invoices(account) if one.customer_id == order.customer_id]
    own = {sub.pk: sub for one in invoices if (sub := one.subscription) is not None and sub.default_method}
    targets: list[Subscription | None] = [own[pk] for pk in sorted(own)]
    if any(one.subscription_id not in own for one in invoices) or not targets:
        targets.append(None)
    for subscription in targets:
        try:
            place_order(
                kind=OrderKind.SET_METHOD,
                account_id=account.pk,
                cause=f"page:{order.pk}",
                day=_today(now),
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


def _today(now: datetime) -> Any:
    return local_day(now, Workspace.objects.get(pk=current_workspace_id()).zone)
