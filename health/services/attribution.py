"""Whose event is it: raw keys to accounts and people, at once or when a mapping is learnt later.

A group key, where there is one, decides the account alone; without one the person's contact does.
What is unknown or ambiguous waits in UnattributedUser and is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from accounts.models import Workspace
from cs_platform.lib.scoping import current_workspace_id
from health.services import attribution_sql as sql
from health.services.fold_requests import request_fold

# A constant array is looked up key by key in the index, or, where the statistics do not know a new
# workspace yet, as a hash over one pass of its rows; joins and sub-selects fare much worse there.
_FIND = "SELECT {key}, {columns} FROM {table} WHERE workspace_id = %(workspace)s AND {key} = ANY(%(keys)s::text[])"
_ALIASES = _FIND.format(columns="user_key", table="health_useralias", key="key")
_BY_ID = _FIND.format(columns="id, account_id", table="accounts_contact", key="external_id")
_BY_MAIL = _FIND.format(columns="id, account_id", table="accounts_contact", key="email")
_GROUPS = " UNION ALL ".join(
    (
        _FIND.format(columns="id", table="accounts_account", key="external_id"),
        _FIND.format(columns="account_id", table="accounts_accountalias", key="key"),
        _FIND.format(columns="account_id", table="accounts_subscription", key="external_id"),
    )
)


class Owner(NamedTuple):
    """Whom an event belongs to; None = unknown or ambiguous."""

    account_id: int | None
    contact_id: int | None


@dataclass(frozen=True)
class Directory:
    """The answers for a set of raw keys: accounts by group key, contacts (id, account) by user key."""

    groups: dict[str, int]
    users: dict[str, list[tuple[int, int]]]

    def owner(self, user_key: str, group_key: str) -> Owner:
        people = self.users.get(user_key, []) if user_key else []
        if group_key:
            account = self.groups.get(group_key)
        else:
            accounts = {account_id for _, account_id in people}
            account = accounts.pop() if len(accounts) == 1 else None
        matches = [contact_id for contact_id, account_id in people if account_id == account]
        return Owner(account, matches[0] if len(matches) == 1 else None)


def look_up(pairs: Iterable[tuple[str, str]]) -> Directory:
    """Everything known about (user key, group key) pairs, in four queries at most."""
    pairs = list(pairs)
    return Directory(
        groups=_accounts({group for _, group in pairs if group}),
        users=_people({user for user, _ in pairs if user}),
    )


def _accounts(keys: set[str]) -> dict[str, int]:
    found: dict[str, set[int]] = {}
    for key, account_id in _ask(_GROUPS, keys):
        found.setdefault(key, set()).add(account_id)
    return {key: ids.pop() for key, ids in found.items() if len(ids) == 1}


def _people(keys: set[str]) -> dict[str, list[tuple[int, int]]]:
    """Contacts (id, account) that answer to each key, by id or mail address, also under an alias."""
    targets = dict(_ask(_ALIASES, keys))
    wanted = keys.union(targets.values())
    by_id: dict[str, list[tuple[int, int]]] = {}
    for external_id, contact_id, account_id in _ask(_BY_ID, wanted):
        by_id[external_id] = [(contact_id, account_id)]
    mails = {key for key in wanted if "@" in key}
    by_mail: dict[str, list[tuple[int, int]]] = {}
    for mail, contact_id, account_id in _ask(_BY_MAIL, mails.union(map(str.lower, mails))):
        by_mail.setdefault(mail, []).append((contact_id, account_id))
    return {key: found for key in keys if (found := _answers(key, targets.get(key, key), by_id, by_mail))}


_Found = dict[str, list[tuple[int, int]]]


def _answers(key: str, target: str, by_id: _Found, by_mail: _Found) -> list[tuple[int, int]]:
    if key == target and "@" not in key:
        return by_id.get(key, [])
    found = {*by_id.get(key, ()), *by_id.get(target, ())}
    if "@" in target:
        found.update(by_mail.get(target, ()), by_mail.get(target.lower(), ()))
    return sorted(found)


def _ask(question: str, keys: set[str]) -> list[tuple[Any, ...]]:
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(question, {"keys": _array(keys), "workspace": current_workspace_id()})
        return cursor.fetchall()


def _array(keys: set[str]) -> str:
    """Postgres' text form of an array; the driver's own way of writing lists costs ten times as much."""
    quoted = (key.replace("\\", "\\\\").replace('"', '\\"') for key in sorted(keys))
    return '{"' + '","'.join(quoted) + '"}'


def attribute_pending(*, limit: int = 5_000) -> int:
    """Give waiting events whose keys are known by now to their accounts and people.

    Marks the days of what changed for refolding. Goes through all waiting keys, `limit` at a
    time; returns the number of events attributed.
    """
    events, after = 0, ("", "")
    with transaction.atomic(), connection.cursor() as cursor:
        while page := _waiting(cursor, after, limit):
            after = (page[-1].user_key, page[-1].group_key)
            events += _attribute(cursor, page)
    return events


def detach_events(account_ids: Sequence[int]) -> int:
    """Before accounts are deleted: their events wait for a mapping again. Returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.DETACH, {"workspace": current_workspace_id(), "accounts": list(account_ids)})
        return int(cursor.fetchone()[0])


class _Waiting(NamedTuple):
    id: int
    user_key: str
    group_key: str
    has_account: bool
    first_at: datetime
    last_at: datetime


def _waiting(cursor: Any, after: tuple[str, str], limit: int) -> list[_Waiting]:
    parameters = {"workspace": current_workspace_id(), "limit": limit}
    cursor.execute(sql.WAITING, parameters | {"user_key": after[0], "group_key": after[1]})
    return [_Waiting(*row) for row in cursor.fetchall()]


def _attribute(cursor: Any, page: list[_Waiting]) -> int:
    directory = look_up((row.user_key, row.group_key) for row in page)
    known = [
        (row, owner)
        for row in page
        if (owner := directory.owner(row.user_key, row.group_key)).account_id is not None
        and (owner.contact_id is not None or not row.has_account)
    ]
    if not known:
        return 0
    parameters = {
        "workspace": current_workspace_id(),
        "zone": Workspace.objects.values_list("time_zone", flat=True).get(pk=current_workspace_id()),
        "users": [row.user_key for row, _ in known],
        "groups": [row.group_key for row, _ in known],
        "accounts": [owner.account_id for _, owner in known],
        "contacts": [owner.contact_id for _, owner in known],
        "waiting": [row.id for row, owner in known if not _is_settled(row, owner)],
        "resolved": [row.id for row, owner in known if _is_settled(row, owner)],
        "first": min(row.first_at for row, _ in known),
        "last": max(row.last_at for row, _ in known),
    }
    cursor.execute(sql.ATTRIBUTE, parameters)
    events = int(cursor.fetchone()[0])
    cursor.execute(sql.STILL_WAITING, parameters)
    cursor.execute(sql.RESOLVED, parameters)
    if events:
        request_fold()
    return events


def _is_settled(row: _Waiting, owner: Owner) -> bool:
    return owner.contact_id is not None or row.user_key == ""
