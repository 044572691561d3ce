"""Rows for tests, as plain functions. Call them inside the scope of the workspace they are for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from accounts.models import Account, Contact, Job, Membership, Plan, Role, Subscription, User, Workspace
from accounts.services.workspaces import add_member, create_workspace
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningPolicy
from health.models import AccountState, QueueEntry, QueueItem, RiskRule, SearchToken, Severity

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PASSWORD = "correct-horse-battery"


def make_user(name: str, **fields: Any) -> User:
    return User.objects.create_user(f"{name.lower()}@example.com", PASSWORD, name=name, **fields)


def make_workspace(slug: str = "acme", *, owner: User | None = None, **options: Any) -> Workspace:
    owner = owner or make_user(f"Owner{slug}")
    made = create_workspace(slug=slug, name=slug.title(), owner=owner, acting_user=None, **options)
    with workspace_scope(made.pk):  # as after an admin's first decision
        DunningPolicy.objects.update(collecting_since=NOW - timedelta(days=3650))
    return made


def join(workspace: Workspace, name: str, role: Role | str) -> Membership:
    """A new user with a role in the workspace."""
    with workspace_scope(workspace.pk):
        return add_member(user=make_user(name), role=role, acting_user=None)


def make_account(name: str = "Northwind", *, csm: Membership | None = None, **fields: Any) -> Account:
    values = {
        "external_id": name.lower().replace(" ", "-"),
        "name": name,
        "created_at": NOW - timedelta(days=400),
        **fields,
    }
    return Account.objects.create(csm=csm, **values)


def make_state(account: Account, **fields: Any) -> AccountState:
    """What the night would have written for the account: 62 % x $48,000 x 1.4, score 38, red."""
    values = {
        "as_of": TODAY,
        "is_customer": True,
        "name": account.name,
        "csm": account.csm,
        "plan": "Growth",
        "industry": account.industry or "Logistics",
        "arr_minor": 4_800_000,
        "currency": "USD",
        "health_score": 38.0,
        "health_band": "red",
        "health_change": -12.0,
        "coverage": 0.85,
        "churn_probability": 0.62,
        "expected_loss_minor": 4_166_400,
        "urgency": 1.4,
        "renews_at": NOW + timedelta(days=54),
        "started_at": account.created_at,
        "last_seen_on": TODAY - timedelta(days=3),
        "sparkline": [71, 68, 66, 60, 55, 52, 44, 38],
        "events_total": 1234,
        **fields,
    }
    state, _ = AccountState.objects.update_or_create(account=account, defaults=values)
    make_tokens(account)
    return state


def make_tokens(account: Account) -> None:
    words = {
        word for word in f"{account.name} {account.domain} {account.external_id}".lower().split() if word
    }
    SearchToken.objects.bulk_create([SearchToken(token=word, account=account) for word in sorted(words)])


def make_item(account: Account, cause: str = "gone_quiet", **fields: Any) -> QueueItem:
    evidence = {"gone_quiet": {"days_since_last_seen": 19}, "usage_dropped": {"usage_change_28": -41.0}}
    values = {
        "source": f"risk:{cause}",
        "severity": Severity.HIGH,
        "evidence": evidence.get(cause, {}),
        "opened_on": TODAY - timedelta(days=4),
        **fields,
    }
    return QueueItem.objects.create(account=account, **values)


def make_entry(account: Account, **fields: Any) -> QueueEntry:
    """A row of the queue, derived from the account's state as the night does."""
    state = account.state
    values = {
        "csm": account.csm,
        "has_arr": state.arr_minor > 0,
        "expected_loss_minor": state.expected_loss_minor,
        "severity": Severity.HIGH,
        "items": 1,
        "opened_on": TODAY - timedelta(days=4),
        **fields,
    }
    return QueueEntry.objects.create(account=account, **values)


def queued(
    name: str, *, csm: Membership | None = None, causes: tuple[str, ...] = ("gone_quiet",), **state: Any
) -> Account:
    """An account with state, open items and its row in the queue."""
    account = make_account(name, csm=csm)
    make_state(account, **state)
    for cause in causes:
        make_item(account, cause)
    make_entry(account, items=len(causes))
    return account


def make_contact(account: Account, name: str = "Mina Park", **fields: Any) -> Contact:
    values = {
        "external_id": f"{account.external_id}:{name.lower()}",
        "email": f"{name.split()[0].lower()}@{account.external_id}.example",
        "name": name,
        "created_at": account.created_at,
        **fields,
    }
    return Contact.objects.create(account=account, **values)


def make_subscription(account: Account, **fields: Any) -> Subscription:
    plan, _ = Plan.objects.get_or_create(
        name="Growth", defaults={"list_mrr_minor": 400_000, "currency": "USD"}
    )
    values = {
        "external_id": f"sub-{account.external_id}",
        "plan": plan,
        "mrr_minor": 400_000,
        "currency": "USD",
        "seats": 40,
        "started_at": account.created_at,
        "renews_at": NOW + timedelta(days=54),
        **fields,
    }
    return Subscription.objects.create(account=account, **values)


def make_rule(cause: str, instruction: str = "") -> RiskRule:
    rule, _ = RiskRule.objects.update_or_create(cause=cause, defaults={"instruction": instruction})
    return rule


def expire_leases() -> None:
    """As if every worker had been silent for longer than its lease."""
    Job.objects.filter(lease_until__isnull=False).update(lease_until=datetime(2000, 1, 1, tzinfo=UTC))
