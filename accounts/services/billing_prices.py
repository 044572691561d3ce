"""The mirror of prices: each is a plan."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.gateways.stripe.facts import PriceFacts
from accounts.models import Plan
from accounts.services.billing_mirror import known_rows, lock_object, lock_objects
from accounts.services.billing_mrr import list_mrr_minor


def apply_prices(found: Iterable[PriceFacts]) -> None:
    """Write the plans of these prices; nothing is asked for one that says what it said."""
    prices = sorted(found, key=lambda one: one.id)
    lock_objects(one.id for one in prices)
    here = known_rows(Plan, {one.id for one in prices})
    for price in prices:
        plan = here.get(price.id)
        is_same = plan is not None and _is_named(plan, price) and _told_by(plan)[1:] == _terms_of(price)
        if not is_same:
            apply_price(price)


def apply_price(found: PriceFacts) -> Plan:
    """The plan of a price. A plan of the same name that came from a file is this one."""
    lock_object(found.id)
    plan = Plan.objects.filter(external_id=found.id).first()
    name = _name_of(found)
    if plan is None:
        plan = (name and Plan.objects.filter(name=name, external_id="").first()) or Plan()
    before = _told_by(plan)
    if not _is_named(plan, found):
        plan.name = _free_name(name or found.id, found)
    plan.external_id, plan.currency, plan.list_mrr_minor = _terms_of(found)
    if plan.pk is None or _told_by(plan) != before:
        plan.save()
    return plan


def _name_of(found: PriceFacts) -> str:
    return (found.product_name or found.nickname)[:200]


def _is_named(plan: Plan, found: PriceFacts) -> bool:
    """Whether the plan's name can stay: a plan that is a price already is called as its product."""
    return bool(plan.name) and (not plan.external_id or plan.name.startswith(_name_of(found)))


def _terms_of(found: PriceFacts) -> tuple[str, str, int | None]:
    return found.id, found.currency, list_mrr_minor(found)


def _told_by(plan: Plan) -> tuple[str, str, str, int | None]:
    return plan.name, plan.external_id, plan.currency, plan.list_mrr_minor


def _free_name(name: str, found: PriceFacts) -> str:
    """Several prices of one product are several plans: "Growth", "Growth (yearly)", "Growth (price_1P…)"."""
    lock_object("plan names")
    every = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly"}.get(found.interval, "")
    for words in ("", found.nickname, every, f"{every} {found.currency}".strip(), found.id):
        candidate = f"{name} ({words})"[:200] if words else name
        is_taken = Plan.objects.filter(name=candidate).exclude(external_id=found.id).exists()
        if words != name and not is_taken:
            return candidate
    return found.id
