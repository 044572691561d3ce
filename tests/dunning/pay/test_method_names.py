"""Wallets and debits stand everywhere by their names, never by Stripe's codes."""

import pytest

from accounts.models import BillingCustomer, PaymentMethod
from cs_platform.lib.scoping import workspace_scope
from dunning.queries.pay_methods import brand_name, paid_with
from tests.accounts.web import web
from tests.builders import NOW, make_account
from tests.dunning.builders import make_case

KINDS = [
    ("card", "visa", "4242", "Visa •••• 4242"),
    ("card", "amex", "0005", "American Express •••• 0005"),
    ("card", "unknown", "1111", "Card •••• 1111"),
    ("sepa_debit", "", "3000", "SEPA •••• 3000"),
    ("us_bank_account", "", "6789", "ACH •••• 6789"),
    ("paypal", "", "", "PayPal"),
    ("ideal", "", "", "iDEAL"),
    ("new_wallet", "", "", "New Wallet"),
    ("", "", "", ""),
]


@pytest.mark.parametrize(("kind", "brand", "last4", "name"), KINDS)
def test_by_name(kind, brand, last4, name):
    assert paid_with(kind, brand, last4) == name


def test_in_a_report_kinds_stand_beside_brands():
    assert [brand_name(code) for code in ("visa", "sepa_debit", "PayPal", "")] == [
        "Visa",
        "SEPA",
        "PayPal",
        "",
    ]


@pytest.mark.django_db
def test_on_the_page_of_a_case_and_of_the_account(cast):
    with workspace_scope(cast.workspace.pk):
        account = make_account("Kiln")
        card = {"method_kind": "sepa_debit", "last4": "3000"}
        case = make_case(account, card=card)
        customer = BillingCustomer.objects.create(account=account, external_id="cus_1")
        case.invoice.customer = customer
        case.invoice.save()
        for kind, last4 in (("sepa_debit", "3000"), ("paypal", "")):
            PaymentMethod.objects.create(
                customer=customer, external_id=f"pm_{kind}", kind=kind, last4=last4, created_at=NOW
            )
    ada = web(cast.ada)
    for url in (f"/dunning/cases/{case.public_id}/", f"/accounts/{account.public_id}/"):
        page = ada.get(url).content.decode()
        assert "SEPA •••• 3000" in page and "PayPal" in page
        assert "sepa_debit" not in page and ">paypal<" not in page
