"""The default rules: nine ways in which an account shows that it is in trouble.

Thresholds follow published configurations (usage -30 % against the period before, unseen for two
weeks, renewal within 90 days); each can be changed per workspace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from django.utils.translation import gettext, gettext_lazy, ngettext
from numpy.typing import NDArray

from cs_platform.lib.formats import percent
from health.models import Severity
from health.risks.spec import Columns, Parameter, RiskRuleSpec, risk_rules

Mask = NDArray[np.bool_]
Evidence = Mapping[str, Any]
Settings = Mapping[str, float]


def _percent(value: float) -> str:
    """`value` as it reads: 42.0 is 42 %."""
    return percent(value / 100)


def _usage_dropped(c: Columns, p: Settings) -> Mask:
    share = 1 + c["usage_change_28"] / 100
    before = np.where(share > 0, c["events_28"] / np.where(share > 0, share, 1), np.inf)
    return (c["usage_change_28"] <= -p["drop"]) & (before >= p["least_events"])


def _usage_dropped_words(e: Evidence) -> str:
    return gettext("Usage fell by %(drop)s in 28 days against the 28 days before.") % {
        "drop": _percent(-e["usage_change_28"])
    }


def _gone_quiet_words(e: Evidence) -> str:
    days = int(e["days_since_last_seen"])
    return ngettext(
        "Nobody has used the product for %(days)d day.",
        "Nobody has used the product for %(days)d days.",
        days,
    ) % {"days": days}


def _logins_stopped_words(e: Evidence) -> str:
    days = int(e["days_since_login"])
    return ngettext(
        "Last sign-in %(days)d day ago, while other events go on.",
        "Last sign-in %(days)d days ago, while other events go on.",
        days,
    ) % {"days": days}


def _key_feature_words(e: Evidence) -> str:
    return gettext("Uses %(share)s of the key features in 28 days.") % {
        "share": _percent(e["key_features_adopted"])
    }


def _champion_words(e: Evidence) -> str:
    return gettext("A champion left the customer within the last 60 days.")


def _tickets_words(e: Evidence) -> str:
    return gettext("%(now)d tickets in 28 days, %(before)d in the 28 days before.") % {
        "now": int(e["tickets_28"]),
        "before": int(e["tickets_28"] - e["tickets_change_28"]),
    }


def _payment_words(e: Evidence) -> str:
    count, days = int(e["failed_payments_90"]), int(e.get("days_past_due", 0))
    said = ngettext(
        "%(count)d failed payment in 90 days.", "%(count)d failed payments in 90 days.", count
    ) % {"count": count}
    if not days:
        return said
    since = ngettext("Open for %(days)d day.", "Open for %(days)d days.", days) % {"days": days}
    return f"{said} {since}"


def _payment_failed(c: Columns, p: Settings) -> Mask:
    is_owed = (c["unpaid_invoices"] > 0) | (c["failed_open_minor"] > 0)
    return (c["failed_payments_90"] >= p["least"]) & is_owed


def _renewal_words(e: Evidence) -> str:
    return gettext("Renews in %(days)d days with a health score of %(score)d.") % {
        "days": int(e["days_to_renewal"]),
        "score": round(e["health_score"]),
    }


def _churn_words(e: Evidence) -> str:
    return gettext("Churn probability %(probability)s.") % {
        "probability": _percent(100 * e["churn_probability"])
    }


USAGE_DROPPED = RiskRuleSpec(
    name="usage_dropped",
    label=gettext_lazy("Usage dropped"),
    severity=Severity.HIGH,
    columns=("usage_change_28", "events_28"),
    evidence=("usage_change_28",),
    matches=_usage_dropped,
    sentence=_usage_dropped_words,
    parameters=(
        Parameter("drop", gettext_lazy("Drop of at least"), 30, 1, 100, "%"),
        Parameter("least_events", gettext_lazy("Events in the 28 days before, at least"), 20, 0, 1_000_000),
    ),
    instruction=gettext_lazy(
        "Find out what stopped: open the usage chart, see which feature and which people went quiet, "
        "then call your champion with that one question."
    ),
)
GONE_QUIET = RiskRuleSpec(
    name="gone_quiet",
    label=gettext_lazy("Gone quiet"),
    severity=Severity.HIGH,
    columns=("days_since_last_seen",),
    evidence=("days_since_last_seen",),
    matches=lambda c, p: c["days_since_last_seen"] >= p["days"],
    sentence=_gone_quiet_words,
    parameters=(Parameter("days", gettext_lazy("Days without any use"), 14, 2, 180, "d"),),
    instruction=gettext_lazy(
        "Call, do not mail. Ask whether the person who used it is still there and what they use instead."
    ),
)
LOGINS_STOPPED = RiskRuleSpec(
    name="logins_stopped",
    label=gettext_lazy("Sign-ins stopped"),
    severity=Severity.MEDIUM,
    columns=("days_since_login", "days_since_last_seen"),
    evidence=("days_since_login",),
    matches=lambda c, p: (c["days_since_login"] >= p["days"]) & (c["days_since_last_seen"] < p["days"]),
    sentence=_logins_stopped_words,
    parameters=(Parameter("days", gettext_lazy("Days without a sign-in"), 14, 2, 180, "d"),),
    instruction=gettext_lazy(
        "Only machines are still at work. Find a person who reads the results, and show them what changed."
    ),
)
KEY_FEATURE_UNUSED = RiskRuleSpec(
    name="key_feature_unused",
    label=gettext_lazy("Key features unused"),
    severity=Severity.MEDIUM,
    columns=("key_features_adopted", "tenure_days", "days_since_last_seen"),
    evidence=("key_features_adopted",),
    matches=lambda c, p: (
        (c["key_features_adopted"] < p["share"])
        & (c["tenure_days"] >= p["tenure"])
        & (c["days_since_last_seen"] <= 28)
    ),
    sentence=_key_feature_words,
    parameters=(
        Parameter("share", gettext_lazy("Share of key features in use below"), 34, 1, 100, "%"),
        Parameter("tenure", gettext_lazy("For customers older than"), 45, 0, 3650, "d"),
    ),
    instruction=gettext_lazy(
        "Offer a 20-minute session on the one key feature nearest to what they do already; bring an example made of their data."
    ),
)
CHAMPION_LEFT = RiskRuleSpec(
    name="champion_left",
    label=gettext_lazy("Champion left"),
    severity=Severity.HIGH,
    columns=("champion_left_60",),
    evidence=(),
    matches=lambda c, p: c["champion_left_60"] > 0,
    sentence=_champion_words,
    instruction=gettext_lazy(
        "Ask for the successor within this week, thank the one who left, and repeat the value review with the new person."
    ),
)
TICKETS_RISING = RiskRuleSpec(
    name="tickets_rising",
    label=gettext_lazy("Tickets rising"),
    severity=Severity.MEDIUM,
    columns=("tickets_28", "tickets_change_28"),
    evidence=("tickets_28", "tickets_change_28"),
    matches=lambda c, p: (
        (c["tickets_28"] >= p["least"])
        & (c["tickets_28"] >= p["times"] * np.maximum(c["tickets_28"] - c["tickets_change_28"], 1))
    ),
    sentence=_tickets_words,
    parameters=(
        Parameter("least", gettext_lazy("Tickets in 28 days, at least"), 4, 1, 1000),
        Parameter("times", gettext_lazy("Times as many as in the 28 days before"), 2, 1, 100, "×"),
    ),
    instruction=gettext_lazy(
        "Read the open tickets first. Give the customer one name and one date for the worst of them."
    ),
)
PAYMENT_FAILED = RiskRuleSpec(
    name="payment_failed",
    label=gettext_lazy("Payment failed"),
    severity=Severity.MEDIUM,
    columns=("failed_payments_90", "unpaid_invoices", "failed_open_minor", "days_past_due"),
    evidence=("failed_payments_90", "days_past_due"),
    matches=_payment_failed,
    sentence=_payment_words,
    parameters=(Parameter("least", gettext_lazy("Failed payments in 90 days, at least"), 1, 1, 20),),
    instruction=gettext_lazy(
        "Tell the billing contact, by name, what is open and how to pay it. Do not threaten; ask whether the card or the budget changed."
    ),
)
RENEWAL_LOW_HEALTH = RiskRuleSpec(
    name="renewal_low_health",
    label=gettext_lazy("Renewal near, health low"),
    severity=Severity.HIGH,
    columns=("days_to_renewal", "health_score", "long_term"),
    evidence=("days_to_renewal", "health_score"),
    matches=lambda c, p: (
        (c["days_to_renewal"] >= 0)
        & (c["days_to_renewal"] <= p["days"])
        & (c["health_score"] < p["score"])
        & (c["long_term"] > 0)
    ),
    sentence=_renewal_words,
    parameters=(
        Parameter("days", gettext_lazy("Days to renewal, at most"), 90, 1, 365, "d"),
        Parameter("score", gettext_lazy("Health score below"), 50, 1, 100),
    ),
    instruction=gettext_lazy(
        "Book the renewal talk now. Bring usage figures, one result they reached, and an honest list of what is open."
    ),
)
HIGH_CHURN_PROBABILITY = RiskRuleSpec(
    name="high_churn_probability",
    label=gettext_lazy("High churn probability"),
    severity=Severity.HIGH,
    columns=("churn_probability",),
    evidence=("churn_probability",),
    matches=lambda c, p: c["churn_probability"] * 100 >= p["probability"],
    sentence=_churn_words,
    parameters=(Parameter("probability", gettext_lazy("Probability of at least"), 40, 1, 100, "%"),),
    instruction=gettext_lazy(
        "Look at the reasons beside the probability; start with the one you can change this week."
    ),
)
DEFAULT_RULES = (
    USAGE_DROPPED,
    GONE_QUIET,
    LOGINS_STOPPED,
    KEY_FEATURE_UNUSED,
    CHAMPION_LEFT,
    TICKETS_RISING,
    PAYMENT_FAILED,
    RENEWAL_LOW_HEALTH,
    HIGH_CHURN_PROBABILITY,
)


def register_defaults() -> None:
    for rule in DEFAULT_RULES:
        risk_rules.register(rule)
