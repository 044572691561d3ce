"""Stage "queue" and the CSM's verbs: snooze, resolve, assign, and undo as one act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts.models import Account, Membership, User
from accounts.services.audit import audit
from accounts.services.notifications import tell_assigned
from cs_platform.lib.shards import ALL, Shard
from cs_platform.lib.staging import MANY, planned_for
from health.models import (
    AccountState,
    ActionReceipt,
    QueueItem,
    Resolution,
    ResolutionResult,
    Snooze,
)

# How long the causes that were resolved stay quiet while they still hold.
QUIET_DAYS = {
    ResolutionResult.HELPED: 28,
    ResolutionResult.NO_ANSWER: 7,
    ResolutionResult.NOT_NEEDED: 28,
    ResolutionResult.LOST: 90,
}

_OPEN_ITEMS = """
INSERT INTO health_queueitem (workspace_id, public_id, account_id, source, risk_id, severity, evidence, opened_on)
SELECT r.workspace_id, gen_random_uuid(), r.account_id, 'risk:' || r.cause, r.id, r.severity, r.evidence, %(as_of)s
FROM health_risk r
WHERE r.closed_on IS NULL AND {shard} AND NOT EXISTS (
    SELECT 1 FROM health_resolution q
    WHERE q.account_id = r.account_id AND q.undone_at IS NULL AND q.quiet_until > %(as_of)s
      AND q.sources ? ('risk:' || r.cause))
ON CONFLICT (workspace_id, account_id, source) WHERE closed_at IS NULL
DO UPDATE SET severity = excluded.severity, evidence = excluded.evidence, risk_id = excluded.risk_id
"""
_CLOSE_ITEMS = """
UPDATE health_queueitem i SET closed_at = %(now)s
WHERE i.closed_at IS NULL AND i.source LIKE 'risk:%%' AND {shard} AND NOT EXISTS (
    SELECT 1 FROM health_risk r
    WHERE r.account_id = i.account_id AND r.closed_on IS NULL AND 'risk:' || r.cause = i.source)
"""
_FILL_ENTRIES = """
INSERT INTO health_queueentry
    (workspace_id, account_id, csm_id, has_arr, expected_loss_minor, severity, items, opened_on, snoozed_until)
SELECT i.workspace_id, i.account_id, a.csm_id, s.arr_minor > 0, s.expected_loss_minor,
       max(i.severity), count(*), min(i.opened_on), max(z.until)
FROM health_queueitem i
JOIN accounts_account a ON a.id = i.account_id
JOIN health_accountstate s ON s.account_id = i.account_id
LEFT JOIN health_snooze z ON z.account_id = i.account_id AND z.ended_at IS NULL
WHERE i.closed_at IS NULL AND {which}
  AND NOT EXISTS (SELECT 1 FROM accounts_letgo g WHERE g.account_id = i.account_id AND g.withdrawn_at IS NULL)
GROUP BY i.workspace_id, i.account_id, a.csm_id, s.arr_minor, s.expected_loss_minor
ON CONFLICT (workspace_id, account_id) DO UPDATE SET
    csm_id = excluded.csm_id, has_arr = excluded.has_arr, expected_loss_minor = excluded.expected_loss_minor,
    severity = excluded.severity, items = excluded.items, opened_on = excluded.opened_on,
    snoozed_until = excluded.snoozed_until
"""
_DROP_ENTRIES = """
DELETE FROM health_queueentry i WHERE {which} AND (
    NOT EXISTS (SELECT 1 FROM health_queueitem q WHERE q.account_id = i.account_id AND q.closed_at IS NULL)
    OR EXISTS (SELECT 1 FROM accounts_letgo g WHERE g.account_id = i.account_id AND g.withdrawn_at IS NULL))
"""


class CannotUndo(RuntimeError):
    """The act was undone already, or is not there."""


def fill_queue(*, as_of: date, now: datetime, shard: Shard = ALL) -> int:
    """Items for open risks (quiet ones excepted), entries for accounts with items; returns the entries."""
    values = {"as_of": as_of, "now": now}
    many = len(shard.only) or MANY
    with transaction.atomic(), connection.cursor() as cursor, planned_for(cursor, many):
        cursor.execute(_CLOSE_ITEMS.format(shard=shard.sql("i.account_id").replace("%", "%%")), values)
        cursor.execute(_OPEN_ITEMS.format(shard=shard.sql("r.account_id").replace("%", "%%")), values)
        return _refill(cursor, shard.sql("i.account_id").replace("%", "%%"), {})


def refresh_entries(account_ids: Sequence[int]) -> None:
    """Rebuild the queue's rows of these accounts; call in the transaction of the change."""
    with connection.cursor() as cursor, planned_for(cursor, len(account_ids)):
        _refill(cursor, "i.account_id = ANY(%(ids)s)", {"ids": list(account_ids)})


def _refill(cursor: Any, which: str, values: dict[str, Any]) -> int:
    cursor.execute(_DROP_ENTRIES.format(which=which), values)
    cursor.execute(_FILL_ENTRIES.format(which=which), values)
    return int(cursor.rowcount)


@transaction.atomic
def snooze_accounts(
    *, accounts: Iterable[Account], until: date, note: str = "", acting_user: User | None, now: datetime
) -> ActionReceipt:
    """Put accounts off until the local day `until`; an earlier snooze ends."""
    ids = _locked(accounts)
    ended = _end_snoozes(ids, now)
    made = Snooze.objects.bulk_create(
        [Snooze(account_id=i, until=until, note=note, snoozed_by=acting_user, snoozed_at=now) for i in ids]
    )
    refresh_entries(ids)
    data = {"accounts": ids, "snoozes": [row.pk for row in made], "ended": ended}
    return _receipt(ActionReceipt.Verb.SNOOZED, data, acting_user, now)


@transaction.atomic
def resolve_accounts(
    *, accounts: Iterable[Account], result: str, note: str = "", acting_user: User | None, now: datetime
) -> ActionReceipt:
    """Close what is open for these accounts with a result; the same causes stay quiet for a while."""
    ids = _locked(accounts)
    items = list(QueueItem.objects.filter(account_id__in=ids, closed_at__isnull=True).order_by("pk"))
    sources: dict[int, list[str]] = {i: [] for i in ids}
    for item in items:
        sources[item.account_id].append(item.source)
    quiet = now.date() + timedelta(days=QUIET_DAYS[ResolutionResult(result)])
    made = Resolution.objects.bulk_create(
        [
            Resolution(
                account_id=i,
                result=result,
                note=note,
                sources=sources[i],
                resolved_by=acting_user,
                resolved_at=now,
                quiet_until=quiet,
            )
            for i in ids
        ]
    )
    QueueItem.objects.filter(pk__in=[item.pk for item in items]).update(closed_at=now)
    _tell_sequences([item.pk for item in items])
    data = {
        "accounts": ids,
        "resolutions": [row.pk for row in made],
        "items": [item.pk for item in items],
        "ended": _end_snoozes(ids, now),
    }
    refresh_entries(ids)
    return _receipt(ActionReceipt.Verb.RESOLVED, data, acting_user, now)


@transaction.atomic
def assign_accounts(
    *, accounts: Iterable[Account], csm: Membership | None, acting_user: User | None, now: datetime
) -> ActionReceipt:
    """Give accounts to a CSM (None = nobody)."""
    ids = _locked(accounts)
    before = dict(Account.objects.filter(pk__in=ids).values_list("pk", "csm_id"))
    _set_csm(dict.fromkeys(ids, csm.pk if csm else None))
    data = {"accounts": ids, "csm_before": before}
    receipt = _receipt(ActionReceipt.Verb.ASSIGNED, data, acting_user, now)
    new = [i for i in ids if csm is not None and before[i] != csm.pk]
    if csm is not None and new and (acting_user is None or csm.user_id != acting_user.pk):
        tell_assigned(membership=csm, account_ids=new, cause_key=str(receipt.pk), now=now)
    return receipt


@transaction.atomic
def hand_out_accounts(
    *, csm_of: Mapping[int, int], facts: Mapping[str, Any], acting_user: User | None, now: datetime
) -> ActionReceipt:
    """Give many accounts to many CSMs as one act: {account: membership}; `facts` are kept with the receipt."""
    ids = _locked(Account.objects.filter(pk__in=csm_of))
    before = dict(Account.objects.filter(pk__in=ids).values_list("pk", "csm_id"))
    after = {account_id: csm_of[account_id] for account_id in ids}
    _set_csm(dict(after))
    data = {**facts, "accounts": ids, "csm_before": before, "csm_after": after}
    return _receipt(ActionReceipt.Verb.ASSIGNED, data, acting_user, now)


@transaction.atomic
def undo(*, receipt: ActionReceipt, acting_user: User | None, now: datetime) -> None:
    """Take one act back as a whole. Raises CannotUndo when it was taken back already."""
    row = ActionReceipt.objects.select_for_update().get(pk=receipt.pk)
    if row.undone_at is not None:
        raise CannotUndo(str(row.public_id))
    data = row.data
    if row.verb == ActionReceipt.Verb.ASSIGNED:
        _set_csm(_still_as_left({int(i): csm for i, csm in data["csm_before"].items()}, data))
    else:
        Snooze.objects.filter(pk__in=data.get("snoozes", []), ended_at__isnull=True).update(ended_at=now)
        Resolution.objects.filter(pk__in=data.get("resolutions", [])).update(undone_at=now)
        _reopen_items(data.get("items", []))
        _resume_snoozes(data.get("ended", []))
        refresh_entries(data["accounts"])
    row.undone_at = now
    row.save(update_fields=["undone_at"])
    audit("health.queue.undone", acting_user=acting_user, target=row, verb=row.verb)


def _tell_sequences(item_ids: Sequence[int]) -> None:
    """Runs that wait for these items go on."""
    from health.services.sequence_runs import wake_runs_of_items  # it fills the queue through this module

    wake_runs_of_items(item_ids)


def _locked(accounts: Iterable[Account]) -> list[int]:
    """Ids in a fixed order, locked, so that two acts on the same accounts wait for each other."""
    wanted = sorted({account.pk for account in accounts})
    rows = Account.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def _end_snoozes(ids: Sequence[int], now: datetime) -> list[int]:
    rows = Snooze.objects.filter(account_id__in=ids, ended_at__isnull=True)
    ended = list(rows.values_list("pk", flat=True))
    Snooze.objects.filter(pk__in=ended).update(ended_at=now)
    return ended


def _reopen_items(ids: Sequence[int]) -> None:
    """Only where no newer item of the same cause was opened meanwhile, and the problem still stands."""
    for item in QueueItem.objects.filter(pk__in=ids, closed_at__isnull=False).select_related("risk"):
        if item.risk is not None and item.risk.closed_on is not None:
            continue
        newer = QueueItem.objects.filter(
            account_id=item.account_id, source=item.source, closed_at__isnull=True
        )
        if not newer.exists():
            QueueItem.objects.filter(pk=item.pk).update(closed_at=None)


def _resume_snoozes(ids: Sequence[int]) -> None:
    for row in Snooze.objects.filter(pk__in=ids):
        if not Snooze.objects.filter(account_id=row.account_id, ended_at__isnull=True).exists():
            Snooze.objects.filter(pk=row.pk).update(ended_at=None)


def _set_csm(wanted: dict[int, int | None]) -> None:
    by_csm: dict[int | None, list[int]] = {}
    for account_id, csm_id in wanted.items():
        by_csm.setdefault(csm_id, []).append(account_id)
    for csm_id, ids in by_csm.items():
        Account.objects.filter(pk__in=ids).update(csm_id=csm_id)
        AccountState.objects.filter(account_id__in=ids).update(csm_id=csm_id)
    refresh_entries(list(wanted))


def _still_as_left(before: dict[int, int | None], data: dict[str, Any]) -> dict[int, int | None]:
    """Where an act says what it set: only the accounts that nobody has handed on since."""
    if "csm_after" not in data:
        return before
    after = {int(i): csm for i, csm in data["csm_after"].items()}
    now = dict(Account.objects.filter(pk__in=list(before)).values_list("pk", "csm_id"))
    return {i: csm for i, csm in before.items() if i in now and now[i] == after[i]}


def _receipt(verb: str, data: dict[str, Any], acting_user: User | None, now: datetime) -> ActionReceipt:
    receipt = ActionReceipt.objects.create(
        verb=verb, acted_by=acting_user, acted_at=now, data=data, accounts=len(data["accounts"])
    )
    audit(f"health.queue.{verb}", acting_user=acting_user, target=receipt, accounts=len(data["accounts"]))
    return receipt
