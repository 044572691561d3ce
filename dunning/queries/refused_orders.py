"""What the payment provider would not do for a case, and what waits for a right of its key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext

from accounts.gateways.stripe.rights import WAITS_FOR, right_words
from accounts.models import OPEN_ORDERS, BillingOrder, OrderKind
from dunning.cases.order_words import act_words, instead_words, not_done_words
from dunning.models import DunningCase
from health.models import QueueItem

REFUSED_SOURCE = "dunning_refused"


@dataclass(frozen=True, slots=True)
class Hurdle:
    """Something of a case that does not go on by itself: what it is, and what to do."""

    text: str
    advice: str
    is_for_admin: bool = False


def hurdles_of(case: DunningCase) -> list[Hurdle]:
    """Open items about refused orders, and rights that its orders wait for; two queries."""
    items = QueueItem.objects.filter(
        account_id=case.account_id, source__startswith=f"{REFUSED_SOURCE}:{case.pk}:", closed_at__isnull=True
    )
    found = [
        Hurdle(not_done_words(evidence["act"], evidence["code"]), instead_words(evidence["act"]))
        for evidence in items.order_by("pk").values_list("evidence", flat=True)
    ]
    its_own = Q(invoice_id=case.invoice_id) | Q(source_type="dunning.case", source_id=case.pk)
    of_a_person = Q(account_id=case.account_id, kind__in=(OrderKind.SET_METHOD, OrderKind.SETUP))
    orders = BillingOrder.objects.filter(its_own | of_a_person, state__in=OPEN_ORDERS)
    waiting = orders.filter(error_code__startswith=WAITS_FOR).values_list("kind", "error_code")
    return found + [_waits(kind, code.removeprefix(WAITS_FOR)) for kind, code in waiting.order_by("pk")]


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
    return {int(source.split(":")[1]) for source in rows.values_list("source", flat=True)}
