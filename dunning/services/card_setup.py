"""A person gives another payment method: the provider's page, and reading back what was saved there
(`card_placing` puts it where the old one sat).

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
from accounts.gateways.stripe.sessions import read_setup
from accounts.models import (
    Account,
    BillingCustomer,
    BillingOrder,
    Contact,
    Job,
    MadeBy,
    OrderKind,
    OrderState,
)
from accounts.registry import BillingReader, OrderSource, billing_readers, order_sources
from accounts.services.billing_orders import connected, place_order
from accounts.services.billing_pace import paced_gateway
from accounts.services.billing_refresh import Reader
from accounts.services.jobs import ComeBack, Lease
from cs_platform.lib.scoping import workspace_scope
from dunning.queries.owed import open_invoices
from dunning.services.card_placing import (
    SET_SOURCE,
    is_used,
    on_method_set,
    put_in_place,
    today,
)
from dunning.services.pay_links import RETURN_HOURS, short_token

SETUP_SOURCE = "dunning.card"
WATCH_JOB = "dunning.card_watch"
USED_AGAIN = timedelta(minutes=30)
PAGE_LIVES = timedelta(hours=24)  # the provider's page
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
        day=today(now),
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
        order = BillingOrder.objects.select_related("customer").filter(pk=lease.object_id).first()
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
    if facts.customer_id and order.customer and facts.customer_id != order.customer.external_id:
        return  # never another customer's method
    if facts.is_complete and facts.method_id:
        with workspace_scope(lease.workspace_id):
            lease.hold()
            reader.found.apply(now=timezone.now())
            put_in_place(order, facts, now=timezone.now())
    elif facts.is_open:
        raise ComeBack(_pause(now - order.planned_at))


def _pause(age: timedelta) -> timedelta:
    return next((pause for pause in PAUSES if pause * 5 > age), PAUSES[-1])
