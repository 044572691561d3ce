"""Parameters that know which of them were looked at: what a handler never asks for must not be ignored in silence."""

from collections.abc import Iterable
from typing import Any

from fake_stripe.errors import ApiError
from fake_stripe.wire import Json

# Accepted without effect, because what they steer does not exist here: taxes, languages, mails, wallets, bookkeeping.
WITHOUT_EFFECT = {
    "automatic_payment_methods",
    "automatic_tax",
    "billing_address_collection",
    "cancel_url",
    "custom_text",
    "customer_update",
    "default_tax_rates",
    "invoice_settings",
    "locale",
    "off_session",
    "payment_method_options",
    "payment_settings",
    "receipt_email",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "tax_behavior",
    "usage",
}


class Params(dict[str, Any]):
    """A request's checked parameters. `in`, `[]` and `get` count as looking; whole-dict reads do not."""

    def __init__(self, checked: Json) -> None:
        super().__init__(checked)
        self.seen: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.seen.add(str(name))
        return super().__contains__(name)

    def __getitem__(self, name: str) -> Any:
        self.seen.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.seen.add(name)
        return super().get(name, default)

    def ignored(self) -> set[str]:
        return set(self.keys()) - self.seen - WITHOUT_EFFECT


def given(params: Json, names: Iterable[str]) -> Json:
    """Those of `names` that the request has."""
    return {name: params[name] for name in names if name in params}


def refuse_ignored(params: Params) -> None:
    """An honest fake: a parameter of Stripe's that it does not act upon is an error, not a success without effect."""
    if ignored := sorted(params.ignored()):
        message = f"Stripe knows the parameter {ignored[0]}, but this fake does not act upon it here."
        raise ApiError(
            400, "invalid_request_error", message, param=ignored[0], code="fake_unsupported", kept=False
        )
