"""Reads back what came of a hosted page on which a person saves a payment method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.gateways.stripe.client import Gateway, plain


@dataclass(frozen=True, slots=True)
class SetupFacts:
    """`method_id` is empty until the person has saved one."""

    id: str
    is_open: bool
    is_complete: bool
    method_id: str = ""
    customer_id: str = ""


def read_setup(gateway: Gateway, session_id: str) -> SetupFacts:
    """The session as it stands now. Raises BillingError."""

    def read(client: Any) -> SetupFacts:
        found = plain(client.v1.checkout.sessions.retrieve(session_id, {"expand": ["setup_intent"]}))
        setup = found.get("setup_intent")
        method = setup.get("payment_method") if isinstance(setup, Mapping) else None
        return SetupFacts(
            id=str(found["id"]),
            is_open=found["status"] == "open",
            is_complete=found["status"] == "complete",
            method_id=_id(method),
            customer_id=_id(found.get("customer")),
        )

    return gateway.call(read)


def _id(value: Any) -> str:
    return str(value["id"]) if isinstance(value, Mapping) else str(value or "")
