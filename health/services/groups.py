"""What `group` calls say about accounts: their fields, and the rest as dated traits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.models import Account, TraitDefinition
from accounts.services.traits import define_traits, write_traits
from health.intake.protocol import AccountFact
from health.intake.traits import account_fields, account_traits
from health.services.attribution import look_up

MAX_TRAITS = 200
"""Definitions per workspace that calls may add; a sender with random keys must not flood the admin."""

_FIELDS = ("name", "industry", "country", "domain")


def write_accounts(facts: Sequence[AccountFact]) -> set[int]:
    """Create or update the accounts of the facts, in order; returns the ids of those that changed."""
    if not facts:
        return set()
    accounts, changed = _accounts(facts)
    for fact in facts:
        account = accounts[fact.group_key]
        if _update(account, account_fields(fact.traits)):
            changed.add(account.pk)
    Account.objects.bulk_update(
        [account for account in set(accounts.values()) if account.pk in changed], _FIELDS, batch_size=500
    )
    return changed | _write_traits(facts, accounts)


def _accounts(facts: Sequence[AccountFact]) -> tuple[dict[str, Account], set[int]]:
    """Accounts by group key, made where nobody answers to the key; and the ids of the new ones."""
    keys = {fact.group_key for fact in facts}
    known = look_up(("", key) for key in keys).groups
    by_id = Account.objects.in_bulk(set(known.values()))
    accounts = {key: by_id[account_id] for key, account_id in known.items()}
    # An exact id wins over a key that other accounts also answer to.
    accounts |= {row.external_id: row for row in Account.objects.filter(external_id__in=keys - set(known))}
    first = {fact.group_key: fact for fact in reversed(facts) if fact.group_key not in accounts}
    fresh = [_account(fact) for fact in first.values()]
    Account.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=500)
    made = {row.external_id: row for row in Account.objects.filter(external_id__in=first)}
    return accounts | made, {row.pk for row in made.values()}


def _account(fact: AccountFact) -> Account:
    fields = account_fields(fact.traits)
    known_start = "created_at" in fields
    values: dict[str, Any] = {"name": fact.group_key, "created_at": fact.at, **fields}
    return Account(external_id=fact.group_key, is_start_assumed=not known_start, **values)


def _update(account: Account, fields: Mapping[str, Any]) -> bool:
    changes = {name: fields[name] for name in _FIELDS if name in fields}
    changes = {name: value for name, value in changes.items() if getattr(account, name) != value}
    for name, value in changes.items():
        setattr(account, name, value)
    return bool(changes)


def _write_traits(facts: Sequence[AccountFact], accounts: Mapping[str, Account]) -> set[int]:
    found = [(fact, list(account_traits(fact.traits))) for fact in facts]
    kinds: dict[str, str] = {}
    for _, traits in found:
        for key, kind, _, _ in traits:
            kinds[key] = kind if kinds.get(key, kind) == kind else "text"
    allowed = _allowed(kinds)
    definitions, _ = define_traits({key: kinds[key] for key in allowed}, is_dated=True)
    changed: set[int] = set()
    for fact, traits in found:
        values = [
            (accounts[fact.group_key].pk, row.pk, text, None if row.kind == "text" else number)
            for key, _, text, number in traits
            if (row := definitions.get(key)) is not None
        ]
        changed |= write_traits(values, first_known_at=fact.at, known_at=fact.at)
    return changed


def _allowed(kinds: Mapping[str, str]) -> list[str]:
    """Keys that are defined already, and new ones up to the limit."""
    if not kinds:
        return []
    defined = set(TraitDefinition.objects.filter(key__in=kinds).values_list("key", flat=True))
    room = max(0, MAX_TRAITS - TraitDefinition.objects.count())
    fresh = sorted(set(kinds) - defined)[:room]
    return [*defined, *fresh]
