"""The key is good but may not do what is needed: told once, naming the right, and what waits goes on with it."""

from __future__ import annotations

from datetime import datetime

from accounts.gateways.stripe.client import BillingError
from accounts.gateways.stripe.rights import BY_NAME, WAITS_FOR, right_words
from accounts.models import OPEN_ORDERS, BillingConnection, BillingOrder, Job, Notification
from accounts.services.billing_orders import ORDER_JOB
from accounts.services.notifications import notify_admins

MISSING_KIND = "accounts.billing_right_missing"


def right_of(error: BillingError, fallback: str = "") -> str:
    """The right as the page of the connection names it. Who may write may read: only the stronger one is asked for."""
    known = (error.right, error.right.removesuffix("_read") + "_write")
    return next((name for name in known if name in BY_NAME), error.right or fallback)


def is_known_right(error: BillingError) -> bool:
    """Refused for a right that we ask for, and would notice again."""
    return error.http_status == 403 and right_of(error) in BY_NAME


def note_missing_right(
    connected: BillingConnection, error: BillingError, *, now: datetime, fallback: str = ""
) -> str:
    """Write down that the right is missing and tell the admins, once until the key is looked at again.

    In the running scope and transaction. `fallback` is the right that the call needs, where the provider's
    answer does not name it. Returns the right's name.
    """
    name = right_of(error, fallback)
    locked = BillingConnection.objects.select_for_update().get(pk=connected.pk)
    cause, is_new = f"{locked.pk}:{name}:", name not in locked.missing
    if is_new:
        locked.missing = [*locked.missing, name]
        locked.save(update_fields=["missing"])
    if is_new or not Notification.objects.filter(kind=MISSING_KIND, cause_key__startswith=cause).exists():
        context = {"right": right_words(name), "account": locked.account_name}
        notify_admins(kind=MISSING_KIND, cause_key=f"{cause}{now.isoformat()}", context=context, now=now)
    return name


def let_orders_go_on() -> int:
    """The key was looked at again, or is another: orders that wait for a right are tried at once."""
    waiting = BillingOrder.objects.filter(state__in=OPEN_ORDERS, error_code__startswith=WAITS_FOR)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True))
    for pk in ids:
        Job.objects.put(ORDER_JOB, pk)
    return len(ids)
