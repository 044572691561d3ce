"""Which accounts match a rule, and what it says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Account, Workspace
from accounts.segments import Tree, condition_of, describe_tree
from accounts.segments.fields import Moment, SegmentField
from cs_platform.lib.among import among
from cs_platform.lib.scoping import current_workspace_id
from cs_platform.lib.staging import MANY, planned_for


def accounts_in(tree: Tree, *, now: datetime) -> QuerySet[Account]:
    """The accounts that match, unordered, each once."""
    found: QuerySet[Account] = Account.objects.filter(condition_of(tree, moment_at(now)))
    return found


def account_ids_in(tree: Tree, *, now: datetime, of: Collection[int] | None = None) -> set[int]:
    """Ids of the accounts that match, all at once; with `of` only those of these accounts.

    For whoever asks of many accounts, and goes on to count, compare or sort. Planned for whole tables: where the
    database knows little of them (a large import a moment ago, a LIMIT or NOT IN around the rule) it takes them for
    empty and looks through all rows once per account, minutes where this takes a fifth of a second.
    """
    found = accounts_in(tree, now=now)
    if of is not None:
        found = found.filter(among("pk", of))
    with connection.cursor() as cursor, planned_for(cursor, MANY if of is None else len(of)):
        return set(found.values_list("pk", flat=True))


def matches(tree: Tree, account_id: int, *, now: datetime) -> bool:
    """Whether one account matches."""
    return accounts_in(tree, now=now).filter(pk=account_id).exists()


def describe(tree: Tree) -> str:
    """The rule in words, on one line."""
    return describe_tree(tree, currency=_workspace().report_currency)


def moment_at(now: datetime) -> Moment:
    """`now` with the running workspace's zone."""
    return Moment(now, _workspace().zone)


def values_of(
    fields: Sequence[SegmentField], account_ids: Sequence[int], *, moment: Moment
) -> dict[int, dict[str, list[Any]]]:
    """What these accounts have in the fields: {account: {field name: [values]}}; one query per field."""
    found: dict[int, dict[str, list[Any]]] = {account_id: {} for account_id in account_ids}
    for field in fields:
        if field.rows is None:
            rows = Account.objects.filter(pk__in=account_ids).values_list("pk", field.column)
        else:
            rows = field.rows(moment).filter(account_id__in=account_ids)
            rows = rows.values_list("account_id", field.column)
        for account_id, value in rows:
            found[account_id].setdefault(field.name, []).append(value)
    return found


def _workspace() -> Workspace:
    found: Workspace = Workspace.objects.get(pk=current_workspace_id())
    return found
