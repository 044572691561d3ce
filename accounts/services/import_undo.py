"""Take an import back as one act: created rows go, updated rows return to what they were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import (
    Account,
    AccountTrait,
    Activity,
    Contact,
    Import,
    ImportChange,
    Invoice,
    Job,
    LetGo,
    Note,
    Plan,
    Subscription,
    SubscriptionChange,
    Ticket,
    TraitDefinition,
    User,
)
from accounts.registry import account_detachers, import_kinds
from accounts.services.audit import audit
from accounts.services.import_rows import stored
from accounts.services.imports import lock_imports
from accounts.services.invoices import derive_attempts
from accounts.services.movements import rebuild_movements
from accounts.signals import import_finished

UNDO_JOB = "accounts.import_undo"
PREVIEWED_ROWS = 2_000
_BATCH = 1000
# Children before parents. Plans and trait definitions stay while somebody uses them.
_REMOVED_IN_ORDER: tuple[type[models.Model], ...] = (
    Activity,
    Ticket,
    Invoice,
    Contact,
    Subscription,
    Account,
)
_SHARED = frozenset({Plan._meta.db_table, TraitDefinition._meta.db_table})
_OF_ACCOUNT: tuple[type[models.Model], ...] = (Activity, Ticket, Invoice, Contact, Subscription)


class UndoRefused(Exception):
    """The import cannot be undone now; says why and what to do. `blockers` are imports to undo first."""

    def __init__(self, code: str, message: str, blockers: Sequence[Import] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.blockers = list(blockers)


@dataclass
class UndoReport:
    """Rows removed and restored by table. `kept`: what was left as it is, by code, and how often."""

    removed: dict[str, int] = field(default_factory=dict)
    restored: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    is_exact: bool = True

    def as_json(self) -> dict[str, dict[str, int]]:
        return {"removed": self.removed, "restored": self.restored, "kept": self.kept}


def undo_import(*, source_import: Import, acting_user: User | None, now: datetime) -> UndoReport:
    """Undo in the running scope, all or nothing. Raises UndoRefused.

    Rows changed since keep the newer value, accounts with notes of people stay; both are counted.
    """
    lock_imports()
    row = Import.objects.select_for_update().get(pk=source_import.pk)
    if row.status == Import.Status.UNDONE:
        raise UndoRefused("already_undone", _("This import is undone already."))
    created, updated = _changes(row)
    _refuse_while_needed(row, created)
    touched = _accounts_of(created, updated)
    report = _take_back(row, created, updated)
    rebuild_movements(touched)
    derive_attempts([change.object_id for change in updated[Invoice._meta.db_table]])
    row.status, row.undone_at = Import.Status.UNDONE, now
    row.detail |= {"undo": report.as_json()}
    row.save(update_fields=["status", "undone_at", "detail"])
    audit("accounts.import.undone", acting_user=acting_user, target=row, kind=row.kind)
    import_finished.send(row.pk)
    return report


def preview_undo(*, source_import: Import, now: datetime) -> UndoReport:
    """What undoing would do; nothing is changed. Raises UndoRefused.

    Exact up to PREVIEWED_ROWS rows: what returns to its former state does so and is rolled back, what goes is counted
    where it stands. Beyond that all is counted from the log: what was changed since shows only in the report of the
    undo itself, and `is_exact` is False.
    """
    if source_import.rows_read <= PREVIEWED_ROWS:
        with transaction.atomic():
            lock_imports()
            row = Import.objects.select_for_update().get(pk=source_import.pk)
            if row.status == Import.Status.UNDONE:
                raise UndoRefused("already_undone", _("This import is undone already."))
            created, updated = _changes(row)
            _refuse_while_needed(row, created)
            report = _take_back(row, created, updated, is_preview=True)
            transaction.set_rollback(True)
        return report
    created, updated = _changes(source_import)
    _refuse_while_needed(source_import, created)
    report = UndoReport(is_exact=False)
    report.removed = {_name(_model(table)): len(ids) for table, ids in created.items() if ids}
    report.restored = {_name(_model(table)): len(rows) for table, rows in updated.items() if rows}
    for model in (AccountTrait, SubscriptionChange):
        if count := model._default_manager.filter(source_import=source_import).count():
            report.removed[_name(model)] = count
    if source_import.rows_created and not created:
        report.removed[source_import.kind] = source_import.rows_created
    return report


def request_undo(*, source_import: Import, acting_user: User, now: datetime) -> None:
    """Have the import undone by a worker, in one transaction. Raises UndoRefused where it is clear already."""
    row = Import.objects.select_for_update().get(pk=source_import.pk)
    if row.status == Import.Status.UNDONE:
        raise UndoRefused("already_undone", _("This import is undone already."))
    if row.status == Import.Status.RUNNING:
        raise UndoRefused("running", _("The import is still running. Cancel it first."))
    created, _updated = _changes(row)
    _refuse_while_needed(row, created)
    if row.undo_requested_at is None:
        row.undo_requested_at, row.undo_requested_by = now, acting_user
        row.detail.pop("undo_refused", None)
        row.save(update_fields=["undo_requested_at", "undo_requested_by", "detail"])
    Job.objects.put(UNDO_JOB, row.pk)


def _take_back(
    row: Import,
    created: dict[str, list[int]],
    updated: dict[str, list[ImportChange]],
    *,
    is_preview: bool = False,
) -> UndoReport:
    """Restore and remove. In a preview the created rows stay: nothing that is counted here asks for their absence."""
    report = UndoReport()
    for table, changes in updated.items():
        _restore(table, changes, report)
    _remove_dated(row, report, is_preview=is_preview)
    _remove_created(row, created, report, is_preview=is_preview)
    removed = import_kinds.get(row.kind).undo(row)
    if removed:
        report.removed[row.kind] = removed
    return report


def _changes(row: Import) -> tuple[dict[str, list[int]], dict[str, list[ImportChange]]]:
    created: dict[str, list[int]] = defaultdict(list)
    updated: dict[str, list[ImportChange]] = defaultdict(list)
    for change in ImportChange.objects.filter(source_import=row).iterator(chunk_size=5000):
        if change.before is None:
            created[change.table].append(change.object_id)
        else:
            updated[change.table].append(change)
    return created, updated


def _refuse_while_needed(row: Import, created: dict[str, list[int]]) -> None:
    """Later imports may have changed what this one created, or hung rows on its accounts."""
    later = ImportChange.objects.exclude(source_import=row)
    later = later.exclude(source_import__status=Import.Status.UNDONE)
    needing: set[int] = set()
    for table, ids in created.items():
        if table not in _SHARED:
            needing |= _imports(later.filter(table=table, object_id__in=ids))
    accounts = created[Account._meta.db_table]
    for model in _OF_ACCOUNT if accounts else ():
        rows = model._default_manager.filter(account_id__in=accounts).values("pk")
        needing |= _imports(later.filter(table=model._meta.db_table, object_id__in=rows))
    traits = AccountTrait.objects.filter(account_id__in=accounts)
    terms = SubscriptionChange.objects.filter(subscription_id__in=created[Subscription._meta.db_table])
    for dated in (traits, terms):
        needing |= _imports(dated.exclude(source_import=row).exclude(source_import=None))
    blockers = list(Import.objects.filter(pk__in=needing).order_by("-pk"))
    if blockers:
        names = ", ".join(f"{b.kind} {b.public_id}" for b in blockers)
        message = _("Later imports build on rows of this one. Undo them first, in this order: %(names)s.")
        raise UndoRefused("needed_by_later_imports", message % {"names": names}, blockers)


def _imports(rows: Any) -> set[int]:
    return set(rows.values_list("source_import_id", flat=True))


def _accounts_of(created: dict[str, list[int]], updated: dict[str, list[ImportChange]]) -> set[int]:
    """Accounts whose movements may change."""
    table = Subscription._meta.db_table
    ids = {*created[table], *(change.object_id for change in updated[table])}
    changes = {change.object_id for change in updated[SubscriptionChange._meta.db_table]}
    rows = Subscription.objects.filter(pk__in=ids) | Subscription.objects.filter(changes__in=changes)
    return set(rows.values_list("account_id", flat=True))


def _restore(table: str, changes: Sequence[ImportChange], report: UndoReport) -> None:
    model = _model(table)
    rows = model._default_manager.in_bulk([change.object_id for change in changes])
    restored, names = [], set()
    for change in changes:
        row = rows.get(change.object_id)
        if row is None:
            continue
        ours = [name for name, after in change.after.items() if stored(getattr(row, name)) == after]
        for name in ours:
            setattr(row, name, _read_back(model, name, (change.before or {})[name]))
        if len(ours) < len(change.after):
            report.kept["changed_since"] = report.kept.get("changed_since", 0) + 1
        if ours:
            names.update(ours)
            restored.append(row)
    if restored:
        model._default_manager.bulk_create(
            restored,
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=sorted({model._meta.get_field(name).name for name in names}),
        )
        report.restored[_name(model)] = len(restored)


def _read_back(model: type[models.Model], name: str, value: Any) -> Any:
    """The log keeps times as text."""
    field = model._meta.get_field(name)
    return field.to_python(value) if isinstance(field, models.DateTimeField) else value


def _remove_dated(row: Import, report: UndoReport, *, is_preview: bool) -> None:
    for model in (AccountTrait, SubscriptionChange):
        rows = model._default_manager.filter(source_import=row)
        count = rows.count() if is_preview else rows.delete()[0]
        if count:
            report.removed[_name(model)] = count


def _remove_created(
    row: Import, created: dict[str, list[int]], report: UndoReport, *, is_preview: bool
) -> None:
    accounts = _without_human_work(created, report)
    for model in _REMOVED_IN_ORDER:
        ids = accounts if model is Account else created[model._meta.db_table]
        if not ids:
            continue
        if model is Account and not is_preview:
            for detacher in account_detachers:
                detacher.detach(ids)
        _remove(model._default_manager.filter(pk__in=ids), report, is_preview=is_preview)
    # Whatever goes with this import uses nothing any more, gone already or not.
    subscriptions = Q(pk__in=created[Subscription._meta.db_table]) | Q(account_id__in=accounts)
    terms = (
        Q(source_import=row)
        | Q(subscription_id__in=created[Subscription._meta.db_table])
        | Q(subscription__account_id__in=accounts)
    )
    if ids := created[Plan._meta.db_table]:
        plans = Plan.objects.filter(pk__in=ids)
        plans = plans.exclude(pk__in=_used(Subscription, "plan", subscriptions))
        plans = plans.exclude(pk__in=_used(SubscriptionChange, "plan", terms))
        _remove(plans, report, is_preview=is_preview)
    if ids := created[TraitDefinition._meta.db_table]:
        values = Q(source_import=row) | Q(account_id__in=accounts)
        traits = TraitDefinition.objects.filter(pk__in=ids)
        traits = traits.exclude(pk__in=_used(AccountTrait, "definition", values))
        _remove(traits, report, is_preview=is_preview)


def _used(model: type[models.Model], name: str, going: Q) -> Any:
    """What other rows than those that go refer to. `going` may be unknown (NULL) for a row: that one stays."""
    rows = model._default_manager.exclude(**{name: None})
    return rows.exclude(pk__in=model._default_manager.filter(going).values("pk")).values(name)


def _remove(rows: Any, report: UndoReport, *, is_preview: bool) -> None:
    count = rows.count()
    if count:
        report.removed[_name(rows.model)] = count
        if not is_preview:
            rows.delete()


def _without_human_work(created: dict[str, list[int]], report: UndoReport) -> list[int]:
    """The created accounts but those that people have written about; what this import brought is no such thing."""
    ids = set(created[Account._meta.db_table])
    if not ids:
        return []
    busy = set(Note.objects.filter(account_id__in=ids).values_list("account_id", flat=True))
    busy |= set(LetGo.objects.filter(account_id__in=ids).values_list("account_id", flat=True))
    written = Activity.objects.filter(account_id__in=ids, author__isnull=False)
    written = written.exclude(pk__in=created[Activity._meta.db_table])
    busy |= set(written.values_list("account_id", flat=True))
    if busy:
        report.kept["has_notes"] = len(busy)
    return sorted(ids - busy)


def _model(table: str) -> type[models.Model]:
    return next(model for model in apps.get_models() if model._meta.db_table == table)


def _name(model: type[models.Model]) -> str:
    return str(model._meta.model_name)
