"""The fields of every kind of import that the accounts app knows."""

from __future__ import annotations

from accounts.imports.fields import ImportField as F
from accounts.imports.fields import ImportSpec

_ID = ("id", "key", "uid")
_ACCOUNT = F("account", "key", required=True, aliases=("account_id", "customer_id", "customer", "company_id"))

ACCOUNTS = ImportSpec(
    name="accounts",
    extras="trait",
    key="external_id",
    identities=(("domain",), ("name",)),
    unique=("external_id",),
    fields=(
        F("external_id", "key", aliases=(*_ID, "account_id", "customer_id", "company_id")),
        F(
            "name",
            limit=300,
            aliases=("account_name", "고객사", "회사명", "회사", "company", "company_name", "customer_name"),
        ),
        F("domain", "domain", limit=253, aliases=("website", "url", "도메인", "홈페이지")),
        F("industry", limit=100, aliases=("sector", "vertical", "업종")),
        F("country", limit=60, aliases=("country_code", "국가")),
        F("csm_email", "email", aliases=("csm", "owner_email", "account_manager")),
        F(
            "created_at",
            "date",
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
        F("external_id", "key", aliases=(*_ID, "contact_id", "user_id")),
        _ACCOUNT,
        F("email", "email", aliases=("mail", "email_address", "이메일")),
        F("name", aliases=("full_name", "contact_name", "이름")),
        F("role", "role", limit=60, aliases=("title", "job_title", "position")),
        F("language", "language", aliases=("locale", "lang")),
    ),
)
SUBSCRIPTIONS = ImportSpec(
    name="subscriptions",
    key="external_id",
    identities=(("account", "started_at"),),
    unique=("external_id", "effective_at"),
    fields=(
        F("external_id", "key", aliases=(*_ID, "subscription_id")),
        _ACCOUNT,
        F("plan", aliases=("plan_name", "plan_tier", "tier", "product")),
        F("mrr", "money", low=0, aliases=("mrr_amount", "monthly_amount", "monthly_charges", "amount")),
        F("currency", "currency"),
        F(
            "seats",
            "integer",
            low=0,
            high=2_000_000_000,
            aliases=("licences", "licenses", "quantity", "users"),
        ),
        F(
            "billing_interval",
            "interval",
            aliases=("billing_frequency", "billing_term", "interval", "contract", "term"),
        ),
        F("started_at", "date", required=True, aliases=("start_date", "started_on", "start", "started")),
        F("ended_at", "date", aliases=("end_date", "ended_on", "canceled_at", "cancelled_at", "end")),
        F("renews_at", "date", aliases=("renewal_date", "renews_on", "current_period_end")),
        F("ended_reason", "reason", aliases=("churn_reason", "cancel_reason")),
        F("ended_cause", "cause", aliases=("churn_type",)),
        F("effective_at", "date", aliases=("effective_on", "effective_date", "changed_at")),
    ),
)
TICKETS = ImportSpec(
    name="tickets",
    key="external_id",
    identities=(("account", "opened_at", "subject"),),
    unique=("external_id",),
    fields=(
        F("external_id", "key", aliases=(*_ID, "ticket_id")),
        _ACCOUNT,
        F("contact", "key", aliases=("contact_id", "requester", "requester_email", "user_id")),
        F("subject", limit=500, aliases=("title",)),
        F("opened_at", "date", required=True, aliases=("submitted_at", "created_at", "opened_on", "created")),
        F("closed_at", "date", aliases=("resolved_at", "solved_at", "closed_on")),
        F("priority", "priority", aliases=("severity",)),
        F("satisfaction", "number", low=1, high=5, aliases=("satisfaction_score", "csat")),
    ),
)
CANCELLATIONS = ImportSpec(
    name="cancellations",
    unique=("account", "subscription", "occurred_at", "reason"),
    fields=(
        _ACCOUNT,
        F("subscription", "key", aliases=("subscription_id",)),
        F(
            "occurred_at",
            "date",
            required=True,
            aliases=("churn_date", "canceled_at", "cancelled_at", "date"),
        ),
        F("reason", "reason", aliases=("reason_code", "churn_reason")),
        F("cause", "cause", aliases=("churn_type",)),
        F("comment", limit=10_000, aliases=("feedback_text", "feedback", "note")),
    ),
)
INVOICES = ImportSpec(
    name="invoices",
    key="external_id",
    identities=(("account", "due_at", "amount"),),
    unique=("external_id",),
    fields=(
        F("external_id", "key", aliases=(*_ID, "invoice_id", "number")),
        _ACCOUNT,
        F("subscription", "key", aliases=("subscription_id",)),
        F("amount", "money", required=True, low=0, aliases=("total", "amount_due")),
        F("currency", "currency"),
        F("status", "status", aliases=("state",)),
        F("due_at", "date", required=True, aliases=("due_date", "due_on", "invoice_date")),
        F("paid_at", "date", aliases=("paid_on", "payment_date")),
        F("attempts", "integer", low=0, high=100, aliases=("attempt_count", "retries")),
        F("last_error", limit=60, aliases=("decline_code", "failure_code", "error")),
    ),
)
