"""What we ask Stripe to do. Every call carries the order's own key, so that asking again is the same act."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote_plus

from accounts.gateways.stripe.client import Gateway, plain
from accounts.models import OrderKind

# The charge of the answer is told with it, so that nothing has to be read afterwards.
PAY_EXPAND = ["payments.data.payment.payment_intent"]


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PENDING = "pending"
    ACTION_NEEDED = "action_needed"


@dataclass(frozen=True, slots=True)
class Request:
    """One act. `target` is the provider's id of what is acted upon; `parameters` go out as they are stored."""

    kind: str
    target: str
    key: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it. `object` is the answered object in plain dictionaries."""

    outcome: Outcome
    object: Mapping[str, Any] = field(default_factory=dict)
    charge_ref: str = ""
    decline_code: str = ""
    advice_code: str = ""
    network_code: str = ""

    @property
    def status(self) -> str:
        return str(self.object.get("status") or "")


def act(gateway: Gateway, request: Request) -> Answer:
    """Send it once. Raises BillingError for whatever is not a clear answer, declines included."""
    options = {"idempotency_key": request.key, "max_network_retries": 0}

    def send(client: Any) -> Answer:
        parameters = dict(request.parameters)
        if request.kind == OrderKind.PAY:
            return _paid(_pay(client, request.target, parameters, options))
        call = _CALLS[OrderKind(request.kind)]
        return _done(plain(call(client.v1, request.target, parameters, options)))

    return gateway.call(send)


def _pay(client: Any, target: str, parameters: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """As `invoices.pay` sends it; the answer is taken as it is, not made into the SDK's objects and back."""
    answer = client.raw_request("post", f"/v1/invoices/{quote_plus(target)}/pay", **parameters, **options)
    return dict(answer.data)


def _change_invoice(v1: Any, target: str, parameters: dict[str, Any], options: dict[str, Any]) -> Any:
    return v1.invoices.update(target, parameters, options)


def _uncollectible(v1: Any, target: str, parameters: dict[str, Any], options: dict[str, Any]) -> Any:
    return v1.invoices.mark_uncollectible(target, parameters, options)


def _cancel(v1: Any, target: str, parameters: dict[str, Any], options: dict[str, Any]) -> Any:
    return v1.subscriptions.cancel(target, parameters, options)


def _change_subscription(v1: Any, target: str, parameters: dict[str, Any], options: dict[str, Any]) -> Any:
    return v1.subscriptions.update(target, parameters, options)


def _set_method(v1: Any, target: str, parameters: dict[str, Any], options: dict[str, Any]) -> Any:
    """Where the failed card sat: a subscription has one of its own, else the customer's counts."""
    if target.startswith("sub_"):
        return v1.subscriptions.update(target, parameters, options)
    return v1.customers.update(target, parameters, options)


def _setup(v1: Any, target: str, parameters: dict[str, Any], options: dict[str, Any]) -> Any:
    return v1.checkout.sessions.create({"customer": target, **parameters}, options)


_CALLS: dict[OrderKind, Callable[[Any, str, dict[str, Any], dict[str, Any]], Any]] = {
    OrderKind.TAKE_OVER: _change_invoice,
    OrderKind.HAND_BACK: _change_invoice,
    OrderKind.SET_METHOD: _set_method,
    OrderKind.SETUP: _setup,
    OrderKind.UNCOLLECTIBLE: _uncollectible,
    OrderKind.CANCEL: _cancel,
    OrderKind.PAUSE: _change_subscription,
    OrderKind.RESUME: _change_subscription,
}


def _done(found: dict[str, Any]) -> Answer:
    if not found.get("id"):
        raise ValueError("an answer without an id")
    return Answer(Outcome.SUCCEEDED, found)


def _paid(invoice: dict[str, Any]) -> Answer:
    """An invoice that was to be paid: by its status, else by how its payment stands."""
    if not str(invoice["id"]) or invoice.get("object") != "invoice":
        raise ValueError("an answer that is no invoice")
    intents = _intents(invoice)
    charge = next((str(one["latest_charge"]) for one in intents if one.get("latest_charge")), "")
    if invoice["status"] == "paid":
        return Answer(Outcome.SUCCEEDED, invoice, charge)
    states = {one.get("status") for one in intents}
    if "processing" in states:
        return Answer(Outcome.PENDING, invoice, charge)
    if "requires_action" in states:
        return Answer(Outcome.ACTION_NEEDED, invoice, charge)
    raise ValueError(f"an invoice that is neither paid nor under way: {invoice['status']}")


def _intents(invoice: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The payments' intents, the newest first; those that are only named are left out."""
    rows = (invoice.get("payments") or {}).get("data") or []
    intents = [(row.get("payment") or {}).get("payment_intent") for row in rows]
    found = [intent for intent in intents if isinstance(intent, Mapping)]
    return sorted(found, key=lambda intent: int(intent.get("created") or 0), reverse=True)
