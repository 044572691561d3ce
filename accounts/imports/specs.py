"""The fields of every kind of import that the accounts app knows."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.imports.fields import ImportField as F
from accounts.imports.fields import ImportSpec

_ID = ("id", "key", "uid")
_ACCOUNT = F(
    "account",
    "key",
    label=_("Account"),
    required=True,
    aliases=("account_id", "customer_id", "customer", "company_id"),
)

ACCOUNTS = ImportSpec(
    name="accounts",
    extras="trait",
    key="external_id",
    identities=(("domain",), ("name",)),
    unique=("external_id",),
    fields=(
        F(
            "external_id",
            "key",
            label=_("Account's id in your systems"),
            aliases=(*_ID, "account_id", "customer_id", "company_id"),
        ),
        F(
            "name",
            label=_("Name"),
            limit=300,
            aliases=("account_name", "고객사", "회사명", "회사", "company", "company_name", "customer_name"),
        ),
        F("domain", "domain", label=_("Domain"), limit=253, aliases=("website", "url", "도메인", "홈페이지")),
        F("industry", label=_("Industry"), limit=100, aliases=("sector", "vertical", "업종")),
        F("country", label=_("Country"), limit=60, aliases=("country_code", "국가")),
        F(
            "csm_email",
            "email",
            label=_("CSM's mail address"),
            aliases=("csm", "owner_email", "account_manager"),
        ),
        F(
            "created_at",
            "date",
            label=_("Customer since"),
            aliases=(
                "signup_date",
                "signed_up_at",
                "signed_up",
                "signup",
                "가입일",
                "created",
                "created_on",
                "customer_since",
            ),
        ),
    ),
)
CONTACTS = ImportSpec(
    name="contacts",
    key="external_id",
    identities=(("email",), ("account", "name")),
    unique=("external_id",),
    fields=(
        F(
            "external_id",
            "key",
            label=_("Contact's id in your systems"),
            aliases=(*_ID, "contact_id", "user_id"),
        ),
        _ACCOUNT,
        F("email", "email", label=_("Mail address"), aliases=("mail", "email_address", "이메일")),
        F("name", label=_("Name"), aliases=("full_name", "contact_name", "이름")),
        F("role", "role", label=_("Role"), limit=60, aliases=("title", "job_title", "position")),
        F("language", "language", label=_("Language"), aliases=("locale", "lang")),
    ),
)
SUBSCRIPTIONS = ImportSpec(
    name="subscriptions",
    key="external_id",
    identities=(("account", "started_at"),),
    unique=("external_id", "effective_at"),
    fields=(
        F(
            "external_id",
            "key",
            label=_("Subscription's id in your systems"),
            aliases=(*_ID, "subscription_id"),
        ),
        _ACCOUNT,
        F("plan", label=_("Plan"), aliases=("plan_name", "plan_tier", "tier", "product")),
        F(
            "mrr",
            "money",
            label=_("MRR"),
            low=0,
            aliases=("mrr_amount", "monthly_amount", "monthly_charges", "amount"),
        ),
        F("currency", "currency", label=_("Currency")),
        F(
            "seats",
            "integer",
            label=_("Seats"),
            low=0,
            high=2_000_000_000,
            aliases=("licences", "licenses", "quantity", "users"),
        ),
        F(
            "billing_interval",
            "interval",
            label=_("Billing interval"),
            aliases=("billing_frequency", "billing_term", "interval", "contract", "term"),
        ),
        F(
            "started_at",
            "date",
            label=_("Start date"),
            required=True,
            aliases=("start_date", "started_on", "start", "started"),
        ),
        F(
            "ended_at",
            "date",
            label=_("End date"),
            aliases=("end_date", "ended_on", "canceled_at", "cancelled_at", "end"),
        ),
        F(
            "renews_at",
            "date",
            label=_("Renewal date"),
            aliases=("renewal_date", "renews_on", "current_period_end"),
        ),
        F("ended_reason", "reason", label=_("Reason of the end"), aliases=("churn_reason", "cancel_reason")),
        F("ended_cause", "cause", label=_("Kind of the end"), aliases=("churn_type",)),
        F(
            "effective_at",
            "date",
            label=_("Valid from"),
            aliases=("effective_on", "effective_date", "changed_at"),
        ),
    ),
)
TICKETS = ImportSpec(
    name="tickets",
    key="external_id",
    identities=(("account", "opened_at", "subject"),),
    unique=("external_id",),
    fields=(
        F("external_id", "key", label=_("Ticket's id in your systems"), aliases=(*_ID, "ticket_id")),
        _ACCOUNT,
        F(
            "contact",
            "key",
            label=_("Contact"),
            aliases=("contact_id", "requester", "requester_email", "user_id"),
        ),
        F("subject", label=_("Subject"), limit=500, aliases=("title",)),
        F(
            "opened_at",
            "date",
            label=_("Opened at"),
            required=True,
            aliases=("submitted_at", "created_at", "opened_on", "created"),
        ),
        F("closed_at", "date", label=_("Closed at"), aliases=("resolved_at", "solved_at", "closed_on")),
        F("priority", "priority", label=_("Priority"), aliases=("severity",)),
        F(
            "satisfaction",
            "number",
            label=_("Satisfaction (1 to 5)"),
            low=1,
            high=5,
            aliases=("satisfaction_score", "csat"),
        ),
    ),
)
CANCELLATIONS = ImportSpec(
    name="cancellations",
    unique=("account", "subscription", "occurred_at", "reason"),
    fields=(
        _ACCOUNT,
        F("subscription", "key", label=_("Subscription"), aliases=("subscription_id",)),
        F(
            "occurred_at",
            "date",
            label=_("Canceled at"),
            required=True,
            aliases=("churn_date", "canceled_at", "cancelled_at", "date"),
        ),
        F("reason", "reason", label=_("Reason"), aliases=("reason_code", "churn_reason")),
        F("cause", "cause", label=_("Kind of the end"), aliases=("churn_type",)),
        F("comment", label=_("Comment"), limit=10_000, aliases=("feedback_text", "feedback", "note")),
    ),
)
INVOICES = ImportSpec(
    name="invoices",
    key="external_id",
    identities=(("account", "due_at", "amount"),),
    unique=("external_id",),
    fields=(
        F(
            "external_id",
            "key",
            label=_("Invoice's id in your systems"),
            aliases=(*_ID, "invoice_id", "number"),
        ),
        _ACCOUNT,
        F("subscription", "key", label=_("Subscription"), aliases=("subscription_id",)),
        F("amount", "money", label=_("Amount"), required=True, low=0, aliases=("total", "amount_due")),
        F("currency", "currency", label=_("Currency")),
        F("status", "status", label=_("Status"), aliases=("state",)),
        F("due_at", "date", label=_("Due at"), required=True, aliases=("due_date", "due_on", "invoice_date")),
        F("paid_at", "date", label=_("Paid at"), aliases=("paid_on", "payment_date")),
        F(
            "attempts",
            "integer",
            label=_("Attempts to collect"),
            low=0,
            high=100,
            aliases=("attempt_count", "retries"),
        ),
        F("last_error", label=_("Last error"), limit=60, aliases=("decline_code", "failure_code", "error")),
    ),
)
