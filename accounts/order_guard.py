"""The database's own limits on charges, emitted after every migrate: whatever the code believes, it stays inside
what the card networks allow.

A new charge of an invoice is refused when 15 tries of it were begun within 30 days (the lower of the networks'
published limits, whoever made the tries), or when its bank refused the payment method for good. One charge a day
of ours, one under way and one success are unique keys of `BillingOrder`.
"""

from __future__ import annotations

from django.db import connections

MOST_TRIES = 15
WINDOW_DAYS = 30
OVER_BUDGET, BLOCKED_METHOD = "charge_over_budget", "charge_of_blocked_method"

_GUARD = f"""
CREATE OR REPLACE FUNCTION guard_charge() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF (SELECT count(*) FROM accounts_billingorder o WHERE o.workspace_id = NEW.workspace_id
            AND o.invoice_id = NEW.invoice_id AND o.kind = 'pay' AND o.state NOT IN ('canceled', 'by_hand')
            AND o.planned_at > NEW.planned_at - interval '{WINDOW_DAYS} days')
     + (SELECT count(*) FROM accounts_paymentattempt a WHERE a.workspace_id = NEW.workspace_id
            AND a.invoice_id = NEW.invoice_id AND a.order_id IS NULL
            AND a.attempted_at > NEW.planned_at - interval '{WINDOW_DAYS} days') >= {MOST_TRIES} THEN
        RAISE EXCEPTION 'too many charges of one invoice'
            USING ERRCODE = 'check_violation', CONSTRAINT = '{OVER_BUDGET}';
    END IF;
    IF NEW.method <> '' AND EXISTS (SELECT FROM accounts_paymentmethod m WHERE m.workspace_id = NEW.workspace_id
            AND m.external_id = NEW.method AND m.blocked_at IS NOT NULL) THEN
        RAISE EXCEPTION 'this payment method was refused for good'
            USING ERRCODE = 'check_violation', CONSTRAINT = '{BLOCKED_METHOD}';
    END IF;
    RETURN NEW;
END
$guard$;
CREATE OR REPLACE TRIGGER guard_charge BEFORE INSERT ON accounts_billingorder
    FOR EACH ROW WHEN (NEW.kind = 'pay' AND NEW.state NOT IN ('canceled', 'by_hand'))
    EXECUTE FUNCTION guard_charge();
"""


def guard_charges(using: str = "owner") -> None:
    """Install the guard; idempotent."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass('accounts_billingorder')")
        if cursor.fetchone()[0]:
            cursor.execute(_GUARD)
