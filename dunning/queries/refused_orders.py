"""What the payment provider would not do for a case, whether it may be asked again, and what waits for a right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext

from accounts.gateways.stripe.rights import WAITS_FOR, right_words
from accounts.models import (
    OPEN_ORDERS,
    BillingConnection,
    BillingOrder,
    OrderKind,
    OrderState,
    PaymentMethod,
)
from cs_platform.lib.scoping import ScopedQuerySet
from dunning.cases.order_words import act_words, instead_words, not_done_words
from dunning.models import DunningCase
from health.models import QueueItem

REFUSED_SOURCE = "dunning_refused"
# Settled invoices: nobody needs what was to be done with them.
DONE_WITH = ("paid", "void", "uncollectible")


@dataclass(frozen=True, slots=True)
class Hurdle:
    """Something of a case that does not go on by itself: what it is, and what to do. `order` is the refused one that
    may be tried again, `under_way` one that is being tried."""

    text: str
    advice: str
    is_for_admin: bool = False
    order: BillingOrder | None = None
    under_way: BillingOrder | None = None


def hurdles_of(case: DunningCase) -> list[Hurdle]:
    """Open items about refused orders, and rights that its orders wait for; two queries, and three per item."""
    items = QueueItem.objects.filter(
        account_id=case.account_id, source__startswith=f"{REFUSED_SOURCE}:{case.pk}:", closed_at__isnull=True
    )
    found = [_refused(case, evidence) for evidence in items.order_by("pk").values_list("evidence", flat=True)]
    its_own = Q(invoice_id=case.invoice_id) | Q(source_type="dunning.case", source_id=case.pk)
    of_a_person = Q(account_id=case.account_id, kind__in=(OrderKind.SET_METHOD, OrderKind.SETUP))
    orders = BillingOrder.objects.filter(its_own | of_a_person, state__in=OPEN_ORDERS)
    waiting = orders.filter(error_code__startswith=WAITS_FOR).values_list("kind", "error_code")
    return found + [_waits(kind, code.removeprefix(WAITS_FOR)) for kind, code in waiting.order_by("pk")]


def _refused(case: DunningCase, evidence: dict[str, str]) -> Hurdle:
    newest = orders_of(case, evidence["act"]).first()
    text, advice = not_done_words(evidence["act"], evidence["code"]), instead_words(evidence["act"])
    if newest is None:
        return Hurdle(text, advice)
    if newest.state in OPEN_ORDERS:
        return Hurdle(text, advice, under_way=newest)
    return Hurdle(text, advice, order=None if why_not_again(case, newest) else newest)


def orders_of(case: DunningCase, kind: str) -> ScopedQuerySet:
    """All orders of one act for a case, the newest first; a new payment method is ordered for the account."""
    orders = BillingOrder.objects.filter(kind=kind, account_id=case.account_id)
    if kind == OrderKind.SET_METHOD:
        invoice = case.invoice
        its = Q(subscription_id=invoice.subscription_id) if invoice.subscription_id else Q(pk__lt=0)
        orders = orders.filter(its | Q(subscription=None, customer_id=invoice.customer_id))
    else:
        orders = orders.filter(source_type="dunning.case", source_id=case.pk)
    found: ScopedQuerySet = orders.select_related("subscription", "invoice", "customer").order_by("-pk")
    return found


def standing(case: DunningCase, kind: str) -> bool:
    """A person is still asked to do it."""
    items = QueueItem.objects.filter(source=f"{REFUSED_SOURCE}:{case.pk}:{kind}", closed_at__isnull=True)
    return items.filter(account_id=case.account_id).exists()


def asked_for(account_id: int, kind: str) -> set[int]:
    """Cases of the account for which a person is asked to do such an act."""
    items = QueueItem.objects.filter(account_id=account_id, closed_at__isnull=True)
    sources = items.filter(source__startswith=f"{REFUSED_SOURCE}:", source__endswith=f":{kind}")
    return {_case_of(source) for source in sources.values_list("source", flat=True)}


def _case_of(source: str) -> int:
    return int(source.split(":")[1])


def is_needless(case: DunningCase, kind: str) -> bool:
    """It is done, or there is nothing left to do it with."""
    invoice = case.invoice
    if kind == OrderKind.TAKE_OVER:
        return invoice.status in DONE_WITH or not invoice.is_auto_advance
    if kind == OrderKind.UNCOLLECTIBLE:
        return invoice.status in DONE_WITH
    if kind not in (OrderKind.CANCEL, OrderKind.PAUSE):
        return False
    subscription = invoice.subscription
    if subscription is None or subscription.ended_at is not None or invoice.status in ("paid", "void"):
        return True
    return kind == OrderKind.PAUSE and subscription.is_collection_paused


def why_not_again(case: DunningCase, order: BillingOrder) -> str:
    """Why this order is not tried again now, as a code of `AGAIN_WORDS`; "" when it may be.

    Another method is never made the default against its bank: that would charge it.
    """
    if (
        order.state in OPEN_ORDERS
        or orders_of(case, order.kind).values_list("pk", flat=True).first() != order.pk
    ):
        return "under_way"
    if order.state not in (OrderState.FAILED, OrderState.BY_HAND) or not standing(case, order.kind):
        return "settled"
    if is_needless(case, order.kind):
        return "needless"
    target = order.subscription or order.invoice or order.customer
    is_there = target is not None and bool(target.provider)
    if not is_there or not BillingConnection.objects.filter(disconnected_at__isnull=True).exists():
        return "no_connection"
    refused = PaymentMethod.objects.filter(external_id=order.method, blocked_at__isnull=False)
    return "blocked" if order.method and refused.exists() else ""


def _waits(kind: str, right: str) -> Hurdle:
    values = {"act": act_words(kind), "right": right_words(right)}
    return Hurdle(
        gettext("“%(act)s” waits: the key for the payment provider lacks the right %(right)s.") % values,
        gettext(
            "An admin adds it there and presses “Look again” in the settings; then it goes on by itself."
        ),
        is_for_admin=True,
    )


def with_hurdles(cases: Iterable[DunningCase]) -> set[int]:
    """Those of these cases for which a person has to do what the provider would not; one query."""
    ids = {case.account_id: None for case in cases}
    rows = QueueItem.objects.filter(
        account_id__in=list(ids), source__startswith=f"{REFUSED_SOURCE}:", closed_at__isnull=True
    )
    return {_case_of(source) for source in rows.values_list("source", flat=True)}
