"""Many customers with open, failed invoices at once: the material of load and kill tests."""

from contextlib import suppress

from fake_stripe.billing.invoicing import finalize, make_invoice
from fake_stripe.billing.paying import pay_invoice
from fake_stripe.cards import card_details
from fake_stripe.control import Wrong, command
from fake_stripe.errors import Declined
from fake_stripe.objects.catalogue import create_price
from fake_stripe.objects.subscription_making import create_subscription
from fake_stripe.outcomes import problem_of
from fake_stripe.session import Session
from fake_stripe.wire import Json

MOST = 60_000


@command("POST", "seed")
def seed(session: Session, given: Json) -> Json:
    """{"count": n, "plans": [[step, …], …], "amount": 4900, "currency": "usd", "subscriptions": false, "fail": true}

    The n-th customer's card gets the (n mod len)-th plan. With `fail`, the invoice was tried once when it was made,
    by the plan's first step; without, it is open and untried. Answers customers, payment methods and invoices in order.
    """
    count = int(given.get("count", 1))
    if not 0 < count <= MOST:
        raise Wrong(f"count must be between 1 and {MOST}")
    plans = [{"attempts": one} if isinstance(one, list) else one for one in given.get("plans", [["ok"]])]
    for plan in plans:
        if problem := problem_of(plan):
            raise Wrong(problem)
    price = _price(session, given) if given.get("subscriptions") else None
    made: dict[str, list[str]] = {"customers": [], "payment_methods": [], "invoices": [], "subscriptions": []}
    for place in range(count):
        customer, method = _customer(session, place, plans[place % len(plans)])
        made["customers"].append(customer["id"])
        made["payment_methods"].append(method["id"])
        if price:
            _subscribe(session, customer, price, made, fail=bool(given.get("fail", True)))
        else:
            made["invoices"].append(_invoice(session, customer, method, given))
    return dict(made)


def _customer(session: Session, place: int, plan: Json) -> tuple[Json, Json]:
    method = session.new("payment_method", type="card", card=card_details("4242424242424242"), _plan=plan)
    method["card"] |= {"fingerprint": method["id"][-16:]}
    customer = session.new("customer", name=f"Customer {place}", email=f"customer{place}@example.com")
    customer |= {"invoice_prefix": f"C{place:07d}", "metadata": {"place": str(place)}}
    customer["invoice_settings"] = {
        "custom_fields": None,
        "default_payment_method": method["id"],
        "footer": None,
        "rendering_options": None,
    }
    method["customer"] = customer["id"]
    session.save(method)
    session.created(customer, "customer.created")
    return customer, method


def _price(session: Session, given: Json) -> str:
    amount, currency = int(given.get("amount", 4900)), given.get("currency", "usd")
    made = create_price(
        session,
        {
            "unit_amount": amount,
            "currency": currency,
            "recurring": {"interval": given.get("interval", "month")},
            "product_data": {"name": "Seeded plan"},
        },
    )
    key: str = made["id"]
    return key


def _subscribe(
    session: Session, customer: Json, price: str, made: dict[str, list[str]], *, fail: bool
) -> None:
    """An active subscription whose first charge follows the plan (`fail`), or waits untried."""
    behavior = "allow_incomplete" if fail else "default_incomplete"
    subscription = create_subscription(
        session, {"customer": customer["id"], "items": [{"price": price}], "payment_behavior": behavior}
    )
    made["subscriptions"].append(subscription["id"])
    made["invoices"].append(subscription["latest_invoice"])


def _invoice(session: Session, customer: Json, method: Json, given: Json) -> str:
    line = {
        "id": "il_seeded_" + customer["id"],
        "amount": int(given.get("amount", 4900)),
        "description": "Seeded",
        "parent": None,
        "period": {"start": session.now, "end": session.now},
        "pricing": None,
        "quantity": 1,
    }
    currency = given.get("currency", "usd")
    invoice = finalize(session, make_invoice(session, customer, [line], reason="manual", currency=currency))
    if given.get("fail", True):
        # A refusal is meant: the case begins with a failed payment.
        with suppress(Declined):
            pay_invoice(session, invoice, method)
    key: str = invoice["id"]
    return key
