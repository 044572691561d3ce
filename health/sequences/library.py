"""Ready playbooks: one for each default risk, as drafts that an admin reads, changes and publishes.

Steps name mail texts by their key (`accounts/ready_texts.py`); installing puts the workspace's own text there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from health.models import Severity

HIGH, MEDIUM = str(Severity.HIGH.value), str(Severity.MEDIUM.value)


@dataclass(frozen=True)
class ReadyPlaybook:
    """`steps` are values by field; a mail step has `text_key` in place of `text`. Words are lazy."""

    key: str
    cause: str
    name: Any
    purpose: Any
    steps: tuple[Mapping[str, Any], ...]
    daily_cap: int = 25


def _ask(title: Any, instruction: Any, severity: str = MEDIUM) -> Mapping[str, Any]:
    return {"kind": "queue_item", "title": title, "instruction": instruction, "severity": severity}


def _mail(text_key: str, to: str = "champion", otherwise: str = "anyone") -> Mapping[str, Any]:
    return {"kind": "mail", "text_key": text_key, "to": to, "otherwise": otherwise}


def _wait(amount: int, unit: str = "working_days") -> Mapping[str, Any]:
    return {"kind": "wait", "amount": amount, "unit": unit}


def _until_done(amount: int) -> Mapping[str, Any]:
    return {"kind": "wait_item", "amount": amount, "otherwise": "next"}


READY: tuple[ReadyPlaybook, ...] = (
    ReadyPlaybook(
        "usage-dropped",
        "usage_dropped",
        _("Usage dropped: ask before you advise"),
        _("One honest question by mail, then a call with the usage chart at hand."),
        (
            _mail("usage-dropped"),
            _wait(3),
            _ask(
                _("Call about the drop in usage"),
                _(
                    "Nobody has been reached yet. Open the usage chart, see which feature and which people went quiet, and"
                    " ask that one question. Write down the call: the playbook then ends by itself."
                ),
                HIGH,
            ),
            _until_done(7),
            _wait(14, "days"),
            _ask(
                _("Look at the usage again"),
                _(
                    "Two weeks later the risk is still open. Decide with your lead: a second person at the customer, a"
                    " smaller plan, or let go."
                ),
            ),
        ),
    ),
    ReadyPlaybook(
        "gone-quiet",
        "gone_quiet",
        _("Gone quiet: three ways to answer"),
        _("A mail that can be answered with one word, then a call to somebody else."),
        (
            _mail("gone-quiet"),
            _wait(2),
            _ask(
                _("Call, do not mail"),
                _(
                    "Ask whether the person who used it is still there and what they use instead. If nobody picks up, try a"
                    " second person of the account."
                ),
                HIGH,
            ),
            _until_done(5),
            _wait(5),
            _ask(
                _("Write to the executive sponsor"),
                _(
                    "Neither mail nor call was answered. Two sentences to the sponsor, without reproach, with one date."
                ),
                HIGH,
            ),
        ),
    ),
    ReadyPlaybook(
        "logins-stopped",
        "logins_stopped",
        _("Sign-ins stopped: find a reader"),
        _("Machines are still at work. Find the person who reads what they make."),
        (
            _ask(
                _("Find out who reads the results"),
                _("Look up who got the last report or export, and ask that person what they do with it."),
            ),
            _until_done(7),
            _wait(10),
            _ask(
                _("Show what changed since the last sign-in"),
                _("Fifteen minutes with a screen, two things that help this customer, nothing else."),
            ),
        ),
    ),
    ReadyPlaybook(
        "key-feature-unused",
        "key_feature_unused",
        _("Key features unused: one step further"),
        _("Offer the one feature that is nearest to what they do already."),
        (
            _ask(
                _("Prepare an example made of their data"),
                _(
                    "Choose the key feature nearest to what they do already and prepare it with their own numbers."
                ),
            ),
            _until_done(10),
            _mail("quarterly-review"),
            _wait(15),
            _ask(
                _("Ask what keeps them from using it"),
                _(
                    "Rights, time, or no need? Write the answer down; it belongs into the product as much as into this account."
                ),
            ),
        ),
    ),
    ReadyPlaybook(
        "champion-left",
        "champion_left",
        _("Champion left: find the successor this week"),
        _("Ask for the successor, repeat the value review, thank the one who left."),
        (
            _ask(
                _("Find the successor this week"),
                _(
                    "Ask the admin or the sponsor for a name, and thank the one who left: people come back as customers from"
                    " their next company."
                ),
                HIGH,
            ),
            _mail("champion-left", to="admin"),
            _wait(5),
            _ask(
                _("Repeat the value review with the new person"),
                _(
                    "What was reached, what is open, and what they were hired to do. Make them your champion or find another."
                ),
            ),
        ),
    ),
    ReadyPlaybook(
        "tickets-rising",
        "tickets_rising",
        _("Tickets rising: one name, one date"),
        _("Read first, give the customer one name and one date, then ask whether it is solved."),
        (
            _ask(
                _("Read the open tickets and take the worst"),
                _("Give the customer one name and one date for the worst of them, today."),
                HIGH,
            ),
            _until_done(3),
            _wait(5),
            _mail("ticket-follow-up", to="admin"),
        ),
    ),
    ReadyPlaybook(
        "payment-failed",
        "payment_failed",
        _("Payment failed: tell the right person"),
        _("The billing contact first, by mail; a call before anything is switched off."),
        (
            _mail("payment-trouble", to="billing"),
            _wait(4),
            _ask(
                _("Ask whether the card or the budget changed"),
                _(
                    "Call the billing contact. A new card takes two minutes; a cut budget is another conversation."
                ),
            ),
        ),
        daily_cap=40,
    ),
    ReadyPlaybook(
        "renewal-low-health",
        "renewal_low_health",
        _("Renewal near, health low: talk early"),
        _("Book the talk 60 days ahead, bring figures and an honest list of what is open."),
        (
            {"kind": "wait_date", "amount": 60, "side": "before", "date": "renews_at", "missing": "end"},
            _mail("renewal-ahead"),
            _wait(3),
            _ask(
                _("Book the renewal talk"),
                _("Bring usage figures, one result they reached, and an honest list of what is open."),
                HIGH,
            ),
            _until_done(10),
            {"kind": "wait_date", "amount": 30, "side": "before", "date": "renews_at", "missing": "end"},
            {
                "kind": "branch",
                "tree": {"field": "health_band", "op": "any_of", "value": ["red"]},
                "yes": "next",
                "no": "end",
            },
            _ask(
                _("Still red 30 days before the renewal"),
                _(
                    "Bring your lead in. Decide what you offer and what you will not, before the customer asks."
                ),
                HIGH,
            ),
        ),
    ),
    ReadyPlaybook(
        "high-churn-probability",
        "high_churn_probability",
        _("High churn probability: start with one reason"),
        _("Look at the reasons beside the probability and change the one that you can."),
        (
            _ask(
                _("Choose the one reason you can change this week"),
                _(
                    "Open the account, read what moves the probability, and write down what you will do about one of them."
                ),
                HIGH,
            ),
            _until_done(5),
            _wait(15),
            {
                "kind": "branch",
                "tree": {"field": "churn_probability", "op": "gte", "value": 40},
                "yes": "next",
                "no": "end",
            },
            _ask(
                _("The probability is still high"),
                _("What was tried has not moved it. Ask a colleague to look at the account with fresh eyes."),
            ),
        ),
    ),
)


def ready(key: str) -> ReadyPlaybook | None:
    return next((item for item in READY if item.key == key), None)


def draft_of(item: ReadyPlaybook, texts: Mapping[str, str]) -> dict[str, Any]:
    """The draft in the language in force; `texts` are public ids of mail texts by key."""
    steps = []
    for at, values in enumerate(item.steps, start=1):
        step = {key: str(value) if _is_lazy(value) else value for key, value in values.items()}
        if "text_key" in step:
            step["text"] = texts.get(step.pop("text_key"), "")
        steps.append({"id": f"s{at}", **step})
    return {
        "trigger": {"on": "risk", "causes": [item.cause]},
        "steps": steps,
        "exits": ["risk_closed", "churned", "contact_answered"],
        "daily_cap": item.daily_cap,
    }


def _is_lazy(value: Any) -> bool:
    return hasattr(value, "__mod__") and not isinstance(value, (int, float, str))
