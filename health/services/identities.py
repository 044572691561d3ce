"""Who and where: what identify, group and alias calls say becomes contacts, accounts and aliases.

A contact needs an account. Until one is known, what `identify` said waits and is settled by a later
group call, import or fold. An existing contact keeps its account: people who work for several
would otherwise wander with each call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.models import Account, Contact, Subscription
from accounts.signals import account_changed, contact_changed
from cs_platform.lib.scoping import current_workspace_id
from health.intake.protocol import AccountFact, AliasFact, ContactFact
from health.intake.traits import contact_fields
from health.models import UserAlias, WaitingIdentity
from health.services.attribution import look_up
from health.services.fold_requests import request_fold
from health.services.groups import write_accounts


@dataclass(frozen=True)
class Identities:
    """The facts of one request by kind, each in the order in which they came."""

    contacts: Sequence[ContactFact] = ()
    accounts: Sequence[AccountFact] = ()
    aliases: Sequence[AliasFact] = ()


def apply_identities(facts: Identities) -> None:
    """Write what the facts say, in the running scope. Saying it again changes nothing."""
    if not (facts.contacts or facts.accounts or facts.aliases):
        return
    with transaction.atomic():
        _remember_aliases(facts.aliases)
        for account_id in write_accounts(facts.accounts):
            account_changed.send(account_id)
        waiting = _waiting_for(facts) if facts.accounts or facts.contacts else []
        _write_contacts([*waiting, *facts.contacts])
        request_fold()


def settle_waiting_identities() -> None:
    """Make contacts of those who wait and whose account has become known by another way."""
    known = Account.objects.values("external_id")
    subscriptions = Subscription.objects.values("external_id")
    contacts = Contact.objects.values("external_id")
    rows = WaitingIdentity.objects.filter(
        Q(group_key__in=known) | Q(group_key__in=subscriptions) | Q(user_key__in=contacts)
    ).order_by("pk")[:5_000]
    _write_contacts([_fact(row) for row in rows])


def _remember_aliases(facts: Iterable[AliasFact]) -> None:
    for fact in facts:
        onwards = UserAlias.objects.filter(key=fact.user_id).values_list("user_key", flat=True).first()
        target = onwards or fact.user_id
        if target != fact.previous_key:
            UserAlias.objects.update_or_create(key=fact.previous_key, defaults={"user_key": target})
            UserAlias.objects.filter(user_key=fact.previous_key).exclude(key=target).update(user_key=target)


def _waiting_for(facts: Identities) -> list[ContactFact]:
    users = {fact.user_id for fact in facts.contacts}
    groups = {fact.group_key for fact in facts.accounts}
    rows = WaitingIdentity.objects.filter(Q(user_key__in=users) | Q(group_key__in=groups)).order_by("pk")
    return [_fact(row) for row in rows]


def _fact(row: WaitingIdentity) -> ContactFact:
    return ContactFact(row.user_key, row.group_key, row.seen_at, row.traits)


def _write_contacts(facts: Iterable[ContactFact]) -> None:
    merged = _merged(facts)
    if not merged:
        return
    found = _existing(merged)
    directory = look_up(("", fact.group_key) for fact in merged.values())
    changed = [contact for key, contact in found.items() if _update(contact, merged[key])]
    Contact.objects.bulk_update(changed, ["email", "name", "role", "language", "traits"], batch_size=500)
    fresh, waiting = [], []
    for key, fact in merged.items():
        if key in found:
            continue
        account_id = directory.groups.get(fact.group_key)
        if account_id is None:
            waiting.append(_waiting(fact))
        else:
            fresh.append(_contact(fact, account_id))
    Contact.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=500)
    _keep_waiting(waiting)
    settled = set(merged) - {row.user_key for row in waiting}
    WaitingIdentity.objects.filter(user_key__in=settled).delete()
    keys = [contact.external_id for contact in (*fresh, *changed)]
    for contact_id in Contact.objects.filter(external_id__in=keys).values_list("pk", flat=True):
        contact_changed.send(contact_id)


def _merged(facts: Iterable[ContactFact]) -> dict[str, ContactFact]:
    """One fact per person: later traits win, the last group that was named stays."""
    merged: dict[str, ContactFact] = {}
    for fact in facts:
        before = merged.get(fact.user_id)
        if before is not None:
            group_key = fact.group_key or before.group_key
            traits = {**before.traits, **fact.traits}
            fact = replace(before, group_key=group_key, traits=traits, at=min(before.at, fact.at))
        merged[fact.user_id] = fact
    return merged


def _existing(merged: Mapping[str, ContactFact]) -> dict[str, Contact]:
    """Contacts by user id; one that is known by the same mail address only is the same person."""
    found = {row.external_id: row for row in Contact.objects.filter(external_id__in=merged)}
    mails = {
        mail: key
        for key, fact in merged.items()
        if key not in found and (mail := str(contact_fields(fact.traits).get("email", "")))
    }
    by_mail: dict[str, list[Contact]] = {}
    for row in Contact.objects.filter(email__in=mails):
        by_mail.setdefault(row.email, []).append(row)
    for mail, rows in by_mail.items():
        if len(rows) == 1:
            found[mails[mail]] = rows[0]
            UserAlias.objects.update_or_create(key=mails[mail], defaults={"user_key": rows[0].external_id})
    return found


def _update(contact: Contact, fact: ContactFact) -> bool:
    fields = contact_fields(fact.traits)
    traits = {**contact.traits, **fields.pop("traits")}
    fields.pop("created_at", None)
    changes = {name: value for name, value in fields.items() if getattr(contact, name) != value}
    if traits != contact.traits:
        changes["traits"] = traits
    for name, value in changes.items():
        setattr(contact, name, value)
    return bool(changes)


def _contact(fact: ContactFact, account_id: int) -> Contact:
    fields: dict[str, Any] = {"created_at": fact.at, **contact_fields(fact.traits)}
    return Contact(external_id=fact.user_id, account_id=account_id, **fields)


def _waiting(fact: ContactFact) -> WaitingIdentity:
    return WaitingIdentity(
        user_key=fact.user_id, group_key=fact.group_key, traits=dict(fact.traits), seen_at=fact.at
    )


def _keep_waiting(rows: list[WaitingIdentity]) -> None:
    for row in rows:
        row.workspace_id = current_workspace_id()
    WaitingIdentity.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["workspace", "user_key"],
        update_fields=["group_key", "traits", "seen_at"],
    )
