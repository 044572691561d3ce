"""The one account behind all keys of this fake."""

from fake_stripe.routes import route
from fake_stripe.session import Session
from fake_stripe.wire import Json

NO_ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}


@route("GET", "/v1/account", "AccountRetrieveCurrentParams")
def get_account(session: Session, params: Json) -> Json:
    return account_shape(session)


@route("GET", "/v1/accounts/{account}", "AccountRetrieveParams")
def get_account_by_id(session: Session, params: Json, key: str) -> Json:
    return account_shape(session)


def account_shape(session: Session) -> Json:
    world = session.world
    return {
        "id": world.account_id,
        "object": "account",
        "business_profile": _profile(world.settings["business_name"]),
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": world.settings["country"],
        "created": 1_700_000_000,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "billing@example.com",
        "external_accounts": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": "/v1/accounts/x/external_accounts",
        },
        "future_requirements": _requirements(),
        "metadata": {},
        "payouts_enabled": True,
        "requirements": _requirements(),
        "settings": _settings(world.settings["business_name"]),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }


def _profile(name: str) -> Json:
    empty = "annual_revenue mcc minority_owned_business_designation product_description support_email"
    empty += " support_phone support_url url estimated_worker_count"
    return {"name": name, "support_address": NO_ADDRESS, **dict.fromkeys(empty.split())}


def _requirements() -> Json:
    lists = ("alternatives", "currently_due", "errors", "eventually_due", "past_due", "pending_verification")
    return {**{name: [] for name in lists}, "current_deadline": None, "disabled_reason": None}


def _settings(name: str) -> Json:
    descriptors = (
        "statement_descriptor_prefix",
        "statement_descriptor_prefix_kana",
        "statement_descriptor_prefix_kanji",
    )
    return {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": dict.fromkeys(("icon", "logo", "primary_color", "secondary_color")),
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": True, "cvc_failure": True},
            **dict.fromkeys(descriptors),
        },
        "dashboard": {"display_name": name, "timezone": "Etc/UTC"},
        "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": None},
        "payments": dict.fromkeys(
            ("statement_descriptor", "statement_descriptor_kana", "statement_descriptor_kanji")
        ),
        "payouts": {
            "debit_negative_balances": True,
            "schedule": {"delay_days": 2, "interval": "daily"},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }
