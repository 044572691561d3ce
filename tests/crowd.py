"""Many rows of every table, generated from the models: a new table is in it without being named here.

`Crowd` copies what `tests.access.table.rows` makes. Every second copy hangs on the same parents as the original (forty
notes of one account), the others bring their own (forty accounts with one note each).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from typing import Any

from django.db import Error, models, transaction
from django.utils import timezone

from accounts.models import (
    AccountTrait,
    ExchangeRate,
    Holiday,
    ImportReject,
    Invoice,
    LetGo,
    Membership,
    PaymentAttempt,
    SegmentMembership,
    Ticket,
    TraitDefinition,
)
from accounts.privacy import DataClass, personal_data
from accounts.services.audit import audit
from accounts.tenancy import workspace_models
from health.models import (
    HealthScore,
    IntakeRefusal,
    KeyFeature,
    Resolution,
    Risk,
    Snooze,
    UnattributedUser,
    UsageRollup,
)
from tests.access.table import rows
from tests.builders import TODAY, make_user

Row = models.Model
# Tables of which a workspace has one row, one row for each name the product knows, or rows of another making.
ONE_ONLY = {
    "AssignmentPolicy",
    "AuditEntry",
    "AuditHead",
    "BrandLogo",
    "DunningPolicy",
    "EmailSuppression",
    "Event",
    "MailBranding",
    "MailProvider",
    "MetricPosition",
    "NotificationChoice",
    "RetentionChoice",
    "RiskRule",
    "Scorecard",
    "WelcomeDismissal",
}
OPEN_CLASSES = {DataClass.PERSON, DataClass.FREE_TEXT, DataClass.STAFF, DataClass.BUSINESS}
# JSON that people bring along, key by key; other JSON has a form of its own.
BROUGHT_ALONG = {"traits", "properties", "data"}
# Texts with a closed form although somebody types them: a planted text would only break the page.
CLOSED = {"currency", "country", "colour", "query", "status", "language", "key"}


def lived_in(workspace: Any) -> dict[str, Any]:
    """The rows of `tests.access.table.rows` and at least one of the other tables that pages show."""
    made = rows(workspace)
    account, contact, member, now = made["account"], made["contact"], made["member"], timezone.now()
    day = now.date()
    trait = TraitDefinition.objects.create(key="region", label="Region", kind="text")
    AccountTrait.objects.create(account=account, definition=trait, value_text="north", known_at=now)
    Ticket.objects.create(account=account, contact=contact, external_id="t", subject="Help", opened_at=now)
    invoice = Invoice.objects.create(
        account=account, external_id="i", amount_minor=1, currency="USD", status="open", due_at=now
    )
    PaymentAttempt.objects.create(
        invoice=invoice,
        account=account,
        number=1,
        attempted_at=now,
        status="failed",
        decline_code="lost_card",
    )
    Risk.objects.create(
        account=account, cause="gone_quiet", severity=2, evidence={}, opened_on=day, refreshed_on=day
    )
    Snooze.objects.create(account=account, until=day, note="later", snoozed_by=member.user, snoozed_at=now)
    Resolution.objects.create(
        account=account,
        result="helped",
        note="fine",
        resolved_by=member.user,
        resolved_at=now,
        quiet_until=day,
    )
    LetGo.objects.create(account=account, note="gone", decided_by=member.user, decided_at=now)
    HealthScore.objects.create(
        account=account,
        as_of=TODAY,
        version=made["version"],
        score=50,
        band="yellow",
        coverage=1,
        contributions=[],
    )
    SegmentMembership.objects.create(segment=made["segment"], account=account, entered_at=now)
    UsageRollup.objects.create(account=account, name="opened", day=TODAY, events=3, quantity=3)
    KeyFeature.objects.create(name="opened", label="Opened")
    UnattributedUser.objects.create(user_key="who", group_key="where", events=1, first_at=now, last_at=now)
    Holiday.objects.create(day=day, name="Day off")
    ImportReject.objects.create(source_import=made["import"], line=2, field="name", reason="missing")
    ExchangeRate.objects.create(currency="EUR", on_date=TODAY, rate=1)
    IntakeRefusal.objects.create(
        received_at=now, status=400, endpoint="batch", field="event", reason="missing"
    )
    return made


def in_order(found: list[type[Row]]) -> list[type[Row]]:
    """Parents before children."""
    done: list[type[Row]] = []
    while found:
        free = [m for m in found if not any(p in found and p is not m for p in parents_of(m))]
        done += free
        found = [m for m in found if m not in free]
        assert free, f"tables in a circle: {found}"
    return done


def parents_of(model: type[Row]) -> list[type[Row]]:
    return [f.related_model for f in model._meta.concrete_fields if f.is_relation and not f.null]


def unique_names(model: type[Row]) -> set[str]:
    """Fields of which a copy needs another value."""
    names = {f.name for f in model._meta.concrete_fields if f.unique}
    for rule in model._meta.constraints:
        if isinstance(rule, models.UniqueConstraint):
            names |= {str(name) for name in rule.fields}
    return names - {"id", "workspace", "public_id", "currency"}


class Crowd:
    """Copies of every row of the running scope."""

    def __init__(self) -> None:
        self.number = count(1)
        self.models = [m for m in in_order(workspace_models()) if m.__name__ not in ONE_ONLY]
        self.originals = {m: list(m._default_manager.order_by("pk")) for m in self.models}
        self.made: dict[tuple[type[Row], Any, int], Row] = {}
        self.refused: set[str] = set()

    def grow(self, copies: int) -> None:
        """`copies` more of each row there was at the beginning."""
        numbers = [next(self.number) for _ in range(copies)]
        for model in self.models:
            for original in self.originals[model]:
                self._copy(original, numbers)
        for number in numbers:
            acting = make_user(f"Actor{number}")
            audit("accounts.workspace.changed", acting_user=acting, name="another")

    def _copy(self, original: Row, numbers: list[int]) -> None:
        mixed = [(number, number % 2 == 0) for number in numbers]
        for plan in (mixed, [(number, False) for number in numbers]):
            found = {number: self._one(original, number, same_parents) for number, same_parents in plan}
            try:
                with transaction.atomic():
                    type(original)._default_manager.bulk_create(found.values())
            except Error:
                continue
            self.made |= {(type(original), original.pk, number): row for number, row in found.items()}
            return
        self.refused.add(type(original).__name__)

    def _one(self, original: Row, number: int, same_parents: bool) -> Row:
        model, unique = type(original), unique_names(type(original))
        row = model()
        for field in model._meta.concrete_fields:
            if field.primary_key or isinstance(field, models.UUIDField):
                continue
            value = getattr(original, field.attname)
            if isinstance(field, models.ForeignKey):
                twin = self.made.get((field.related_model, value, number))
                value = twin.pk if twin is not None and not same_parents else value
                if model is Membership and field.name == "user":
                    value = make_user(f"Member{number}-{original.pk}").pk
            elif field.name in unique:
                value = another(value, number)
            setattr(row, field.attname, value)
        if hasattr(row, "public_id"):
            row.public_id = uuid.uuid4()  # type: ignore[attr-defined]
        return row


def another(value: Any, number: int) -> Any:
    """A different value of the same type."""
    if isinstance(value, bool) or value is None or value == "":
        return value
    if isinstance(value, str):
        return f"{value}-{number}" if "@" not in value else f"n{number}{value}"
    if isinstance(value, int):
        return value + number * 100  # the smallest whole numbers end at 32,767
    if isinstance(value, date):  # a datetime too
        return value + timedelta(days=number)
    if isinstance(value, bytes | memoryview):
        return bytes(value)[:16] + number.to_bytes(4, "big")
    return value


def plant(texts: Callable[[], str]) -> int:
    """Replace every text of the running scope that somebody typed or brought along; returns how many."""
    planted = 0
    for model in workspace_models():
        if model.__name__ in {"AuditEntry", "Event"}:
            continue
        slots = open_slots(model)
        for row in model._default_manager.order_by("pk") if slots else ():
            values = {field.name: planted_value(field, row, texts()) for field in slots}
            try:
                with transaction.atomic():
                    model._default_manager.filter(pk=row.pk).update(**values)
            except Error:
                continue
            planted += len(values)
    return planted


def open_slots(model: type[Row]) -> list[Any]:
    declared = personal_data.get(model._meta.label_lower).classes()
    fields = {field.name: field for field in model._meta.concrete_fields}
    names = [name for name, kind in declared.items() if kind in OPEN_CLASSES and name not in CLOSED]
    texts = [fields[name] for name in names if isinstance(fields[name], models.CharField | models.TextField)]
    return texts + [fields[name] for name in names if name in BROUGHT_ALONG]


def planted_value(field: Any, row: Row, text: str) -> Any:
    if isinstance(field, models.JSONField):
        return {text: text}
    if field.name in unique_names(type(row)):
        text = f"{text}{row.pk}"
    return text[: field.max_length] if field.max_length else text
