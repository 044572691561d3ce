"""One body that is right for each writing operation; a test sends them all."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "upsert_account": {
        "external_id": "northwind",
        "name": "Northwind Traders",
        "domain": "northwind.example",
        "industry": "Logistics",
        "country": "KR",
        "created_at": "2025-03-01T00:00:00Z",
        "traits": {"employees": 120, "region": "APAC"},
    },
    "assign_csm": {"csm": "ben@example.com"},
    "upsert_contact": {
        "external_id": "user-17",
        "account": "northwind",
        "email": "mina@northwind.example",
        "name": "Mina Park",
        "role": "champion",
        "language": "ko",
    },
    "upsert_subscription": {
        "external_id": "sub-9",
        "account": "northwind",
        "plan": "Growth",
        "mrr_minor": 400000,
        "currency": "USD",
        "seats": 40,
        "billing_interval": "year",
        "started_at": "2025-03-01T00:00:00Z",
        "renews_at": "2027-03-01T00:00:00Z",
    },
    "upsert_ticket": {
        "external_id": "T-1001",
        "account": "northwind",
        "contact": "user-17",
        "subject": "Export takes too long",
        "opened_at": "2026-11-20T08:30:00Z",
        "priority": "high",
    },
    "upsert_invoice": {
        "external_id": "INV-204",
        "account": "northwind",
        "subscription": "sub-9",
        "amount_minor": 4800000,
        "currency": "USD",
        "status": "open",
        "due_at": "2026-12-01T00:00:00Z",
    },
    "create_note": {"account": "northwind", "body": "They plan a second site in spring."},
    "log_touch": {
        "account": "northwind",
        "kind": "call",
        "occurred_at": "2026-11-20T09:00:00Z",
        "contact": "user-17",
        "body": "Talked about the new export.",
    },
    "snooze_account": {"until": "2027-01-15", "note": "Decision after the holidays"},
    "resolve_account": {"result": "helped", "note": "Set up the export with them"},
}
for _one, _many in (
    ("upsert_account", "upsert_accounts"),
    ("upsert_contact", "upsert_contacts"),
    ("upsert_subscription", "upsert_subscriptions"),
    ("upsert_ticket", "upsert_tickets"),
    ("upsert_invoice", "upsert_invoices"),
):
    EXAMPLES[_many] = {"rows": [EXAMPLES[_one]]}
