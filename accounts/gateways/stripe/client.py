"""The way to Stripe: one client per connection, and one type of error that says what is known of the outcome."""

from __future__ import annotations

import functools
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.conf import settings

from accounts.models import BillingConnection

API_VERSION = "2026-10-28.endive"
CONNECT_SECONDS, READ_SECONDS = 3.0, 20.0
T = TypeVar("T")

# The SDK would log the words of errors, which quote names and addresses of customers.
logging.getLogger("stripe").setLevel(logging.WARNING)


class BillingError(Exception):
    """The provider did not do, or may not have done, what we asked.

    `permanent`: the same request would be refused again (a decline, a missing right, an unknown id).
    `outcome_unknown`: it may have happened all the same (no answer, 5xx, an answer that cannot be read): ask
    again with the same key, or read. Neither (409, 429): nothing happened yet, come back.
    `right` is what a restricted key lacks, in the provider's name for it ("invoice_write").
    `text` names the kind of failure in the provider's codes, never what it quotes. `object_id` is what could not be
    read, where a reader says so.
    """

    object_id = ""

    def __init__(
        self,
        text: str,
        *,
        permanent: bool = False,
        outcome_unknown: bool = False,
        http_status: int | None = None,
        code: str = "",
        decline_code: str = "",
        advice_code: str = "",
        network_code: str = "",
        charge_ref: str = "",
        payment_intent_ref: str = "",
        right: str = "",
    ) -> None:
        super().__init__(text)
        self.text = text
        self.permanent, self.outcome_unknown = permanent, outcome_unknown
        self.http_status, self.code = http_status, code
        self.decline_code, self.advice_code, self.network_code = decline_code, advice_code, network_code
        self.charge_ref, self.payment_intent_ref = charge_ref, payment_intent_ref
        self.right = right

    @property
    def is_declined(self) -> bool:
        """The bank said no; everything else is between us and the provider."""
        return self.http_status == 402

    @property
    def is_refused_key(self) -> bool:
        """The provider does not (or no longer) take the key itself."""
        return self.http_status == 401

    @property
    def is_absent(self) -> bool:
        return self.http_status == 404


@dataclass(frozen=True)
class Gateway:
    """An open way to one workspace's Stripe account. `before_call` waits for its turn (`billing_pace`)."""

    client: Any
    workspace_id: int
    before_call: Callable[[], None] = field(default=lambda: None)
    # Coupons by id: what they take off is never changed, and many subscriptions share one.
    coupons: dict[str, Any] = field(default_factory=dict, compare=False)

    def call(self, fn: Callable[[Any], T]) -> T:
        """`fn(client)`, once: no repeats of the SDK's own. Raises BillingError for whatever goes wrong."""
        import stripe

        self.before_call()
        try:
            return fn(self.client)
        except stripe.StripeError as error:
            raise _mapped(error) from None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise unreadable(error) from error


def open_gateway(
    connection: BillingConnection,
    *,
    before_call: Callable[[], None] = lambda: None,
    read_seconds: float = READ_SECONDS,
) -> Gateway:
    """The gateway of a connected workspace; opens no connection by itself."""
    client = open_client(connection.api_key, read_seconds=read_seconds)
    return Gateway(client=client, workspace_id=connection.workspace_id or 0, before_call=before_call)


def open_client(api_key: str, *, read_seconds: float = READ_SECONDS) -> Any:
    """A client of the SDK for this key, at the address of the settings."""
    import stripe

    base: Any = {"api": settings.STRIPE_API_BASE}
    return stripe.StripeClient(
        api_key,
        stripe_version=API_VERSION,
        base_addresses=base,
        max_network_retries=0,
        http_client=_http_client(os.getpid(), read_seconds),
    )


def plain(found: Any) -> dict[str, Any]:
    """An object of the SDK as JSON has it, all the way down."""
    return found if isinstance(found, dict) else dict(found.to_dict(for_json=True))


def unreadable(error: Exception) -> BillingError:
    """An answer of an unexpected shape: what it reports may have happened."""
    return BillingError(
        f"unreadable answer ({type(error).__name__})", outcome_unknown=True, code="unreadable"
    )


@functools.lru_cache(maxsize=4)
def _http_client(process: int, read_seconds: float) -> Any:
    """Kept for its open connections; not shared with a forked process."""
    import stripe

    return stripe.RequestsClient(timeout=(CONNECT_SECONDS, read_seconds))


def _mapped(error: Any) -> BillingError:
    import stripe

    status = error.http_status
    told = _told(error)
    code = str(told.get("code") or error.code or "")[:60]
    if isinstance(error, stripe.APIConnectionError):
        return BillingError("no answer", outcome_unknown=True, code="no_answer")
    if not told or status is None or status >= 500 or status < 400:
        return BillingError(
            f"HTTP {status}, outcome unknown", outcome_unknown=True, http_status=status, code=code
        )
    if status in (409, 429) or code in ("lock_timeout", "rate_limit", "idempotency_key_in_use"):
        return BillingError(f"HTTP {status} {code}".strip(), http_status=status, code=code)
    intent = told.get("payment_intent")
    return BillingError(
        " ".join(filter(None, (f"HTTP {status}", code, _text(told, "decline_code")))),
        permanent=True,
        http_status=status,
        code=code,
        decline_code=_text(told, "decline_code"),
        advice_code=_text(told, "advice_code"),
        network_code=network_code(told, _brand(told)),
        charge_ref=_text(told, "charge", 200),
        payment_intent_ref=_text(intent, "id", 200) if isinstance(intent, dict) else str(intent or "")[:200],
        right=_right(told) if status == 403 else "",
    )


def _right(told: dict[str, Any]) -> str:
    """The permission that the provider's words name; "" where they name none."""
    found = re.search(r"'rak_([a-z_]{3,60})'", _text(told, "message", 2000))
    return found[1] if found else ""


def network_code(told: dict[str, Any], brand: str) -> str:
    """The network's own word on how to go on. Mastercard says it in its advice, the others in the code itself."""
    advice, decline = _text(told, "network_advice_code"), _text(told, "network_decline_code")
    return (advice or decline) if brand == "mastercard" else (decline or advice)


def _brand(told: dict[str, Any]) -> str:
    card = (
        (told.get("payment_method") or {}).get("card")
        if isinstance(told.get("payment_method"), dict)
        else None
    )
    return _text(card, "brand") if isinstance(card, dict) else ""


def _told(error: Any) -> dict[str, Any]:
    """What stands under "error" of the answer; empty when the answer is none of Stripe's."""
    body = error.json_body
    told = body.get("error") if isinstance(body, dict) else None
    return told if isinstance(told, dict) else {}


def _text(told: dict[str, Any], name: str, length: int = 60) -> str:
    value = told.get(name)
    return value[:length] if isinstance(value, str) else ""
