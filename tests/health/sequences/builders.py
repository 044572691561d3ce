"""Sequences, their accounts and runs for tests. Call inside a scope."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import MailText, MailTextVersion, TextPurpose
from accounts.services.versions import publish as publish_version
from health.models import Risk, Sequence, SequenceRun, Severity, StepRun
from health.services.sequence_plans import create_sequence, publish
from tests.builders import NOW, TODAY, make_account, make_contact, make_state, make_subscription

EVENING = {"kind": "wait", "amount": 3, "unit": "days"}
ASK = {"kind": "queue_item", "title": "Call them", "instruction": "Ask who reads it.", "severity": "3"}
NORTH = {"field": "name", "op": "contains", "value": "North"}
CHANGE = {"kind": "set_trait", "trait": "playbook", "value": "yes"}


def steps(*items: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": f"s{at}", **item} for at, item in enumerate(items)]


def definition(*items: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Begun by the risk gone_quiet, nobody held out, at most 100 a day."""
    return {
        "trigger": {"on": "risk", "causes": ["gone_quiet"]},
        "steps": steps(*(items or (ASK,))),
        "exits": ["risk_closed", "churned"],
        "daily_cap": 100,
        "holdout_percent": 0,
        **options,
    }


def make_sequence(
    *items: dict[str, Any], name: str = "Quiet", now: datetime = NOW, **options: Any
) -> Sequence:
    """Published, so that it works."""
    chosen = definition(*items, **options)
    sequence = create_sequence(name=name, definition=chosen, acting_user=None)
    publish(sequence=sequence, definition=chosen, note="", acting_user=None, now=now)
    sequence.refresh_from_db()
    return sequence


def make_quiet(name: str, **state: Any) -> Any:
    """A customer with a champion and an open risk gone_quiet."""
    account = make_account(name)
    make_state(account, **state)
    make_subscription(account)
    make_contact(account, name=f"Mina {name}", role="champion", is_champion=True)
    Risk.objects.create(
        account=account,
        cause="gone_quiet",
        severity=Severity.HIGH,
        evidence={"days_since_last_seen": 20},
        opened_on=TODAY,
        refreshed_on=TODAY,
    )
    return account


def make_text(name: str = "Checking in", subject: str = "Hello {{ contact.first_name|there }}") -> MailText:
    text = MailText.objects.create(
        key=name.lower().replace(" ", "-"), name=name, purpose=TextPurpose.PLAYBOOK
    )
    words = {"en": {"subject": subject, "body": "We miss you."}}
    publish_version(MailTextVersion, parent=text, definition=words, note="", acting_user=None, now=NOW)
    return text


def mail_step(text: MailText, **options: Any) -> dict[str, Any]:
    return {"kind": "mail", "text": str(text.public_id), "to": "champion", "otherwise": "skip", **options}


def done(run: SequenceRun) -> list[tuple[str, str]]:
    """The run's steps as (kind, state), in order."""
    return list(StepRun.objects.filter(run=run).order_by("pk").values_list("kind", "state"))
