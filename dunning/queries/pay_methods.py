"""Payment methods as their owners know them, and which one the next payment of an account would use."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    Account,
    BillingCustomer,
    BillingOrder,
    OrderKind,
    OrderState,
    PaymentMethod,
    Subscription,
)

# As their owners write them; the same in every language but where it is no name.
METHOD_NAMES: dict[str, str | Promise] = {
    "card": _("Card"),
    "paypal": "PayPal",
    "sepa_debit": "SEPA",
    "us_bank_account": "ACH",
    "link": "Link",
    "amazon_pay": "Amazon Pay",
    "cashapp": "Cash App Pay",
    "revolut_pay": "Revolut Pay",
    "bacs_debit": "Bacs",
    "au_becs_debit": "BECS",
    "acss_debit": "ACSS",
    "kakao_pay": "Kakao Pay",
    "naver_pay": "Naver Pay",
    "samsung_pay": "Samsung Pay",
    "payco": "PAYCO",
    "ideal": "iDEAL",
    "eps": "EPS",
    "p24": "Przelewy24",
    "twint": "TWINT",
    "blik": "BLIK",
    "fpx": "FPX",
    "upi": "UPI",
    "oxxo": "OXXO",
    "mobilepay": "MobilePay",
    "wechat_pay": "WeChat Pay",
    "grabpay": "GrabPay",
    "promptpay": "PromptPay",
    "paynow": "PayNow",
    "nz_bank_account": "BECS NZ",
    "afterpay_clearpay": "Afterpay / Clearpay",
    "customer_balance": _("Bank transfer"),
    "kr_card": _("Korean cards"),
}
# Where the words of a brand's code with capitals are not its name.
BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
    "eftpos_au": "eftpos",
    "unknown": "",
}


def method_name(kind: str) -> str:
    return str(METHOD_NAMES.get(kind) or _capitals(kind))


def card_words(method: PaymentMethod) -> str:
    """The method as its owner knows it: "Visa •••• 4242", "PayPal"."""
    return paid_with(method.kind, method.brand, method.last4)


def paid_with(kind: str, brand: str, last4: str) -> str:
    """A method or a try by its name, "SEPA •••• 3000"; empty where nothing is known of it."""
    name = brand_name(brand) or (method_name(kind) if kind else "")
    return f"{name} •••• {last4}".strip() if last4 else name


def brand_name(code: str) -> str:
    """A card's brand, or the kind of method where there is no card."""
    low = code.lower()
    return BRANDS[low] if low in BRANDS else str(METHOD_NAMES.get(low) or _capitals(low))


def _capitals(code: str) -> str:
    return code.replace("_", " ").title()


def expiry_words(method: PaymentMethod | None) -> str:
    """The month at whose end it expires; empty where it does not."""
    if method is None or not method.exp_year or not method.exp_month:
        return ""
    return str(date_format(date(method.exp_year, method.exp_month, 1), "YEAR_MONTH_FORMAT"))


def running_subscriptions(account: Account, customer: BillingCustomer | None) -> QuerySet[Subscription]:
    """Subscriptions of this customer at the provider that go on, the one that renews first before the others."""
    rows = Subscription.objects.filter(account=account, customer=customer, ended_at__isnull=True)
    return rows.order_by("renews_at", "pk")


def next_method(account: Account, customer: BillingCustomer | None) -> PaymentMethod | None:
    """What the next payment would use: the own method of the subscription that renews first, else the customer's."""
    if customer is None:
        return None
    first = running_subscriptions(account, customer).values_list("default_method", flat=True).first()
    name = first or customer.default_method
    rows = PaymentMethod.objects.filter(external_id=name, detached_at__isnull=True)
    found: PaymentMethod | None = rows.first() if name else None
    return found


def other_methods() -> list[str]:
    """What the provider offered beside cards on the workspace's latest page without a restriction."""
    rows = BillingOrder.objects.filter(kind=OrderKind.SETUP, state=OrderState.SUCCEEDED)
    found = rows.filter(result__has_key="payment_method_types").order_by("-pk")
    for result in found.values_list("result", flat=True)[:20]:
        kinds = result["payment_method_types"]
        if kinds != ["card"]:
            return [method_name(kind) for kind in kinds if kind != "card"]
    return []
