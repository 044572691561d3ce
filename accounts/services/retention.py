"""How long details are kept: per kind a default, per workspace a choice, pruned every day."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import (
    ApiAnswer,
    InboundWebhook,
    Job,
    MailDecision,
    Notification,
    OutboundEmail,
    RetentionChoice,
    User,
    WebhookMessage,
    Workspace,
)
from accounts.registry import retention_kinds
from accounts.services.audit import audit
from accounts.services.jobs import Lease
from accounts.services.stored_files import remove_expired_files
from cs_platform.lib.scoping import workspace_scope

PRUNE_JOB = "accounts.prune"
CHUNK = 5_000
_FINAL = (
    OutboundEmail.Status.SENT,
    OutboundEmail.Status.DOUBTFUL,
    OutboundEmail.Status.FAILED,
    OutboundEmail.Status.SUPPRESSED,
    OutboundEmail.Status.CANCELED,
)


def kept_days() -> dict[str, int]:
    """Days by kind, in the running scope."""
    chosen = dict(RetentionChoice.objects.values_list("kind", "days"))
    return {kind.name: chosen.get(kind.name, kind.days) for kind in retention_kinds}


@transaction.atomic
def choose_retention(*, kind: str, days: int, acting_user: User) -> None:
    """Keep one kind for so many days; never shorter than what its readers need. Raises ValueError."""
    spec = retention_kinds.get(kind)
    if not spec.least_days <= days <= 3650:
        raise ValueError(kind)
    RetentionChoice.objects.update_or_create(kind=kind, defaults={"days": days})
    audit("accounts.retention.changed", acting_user=acting_user, kind=kind, days=days)


def request_pruning() -> int:
    """A job for each workspace; returns how many."""
    workspaces = Workspace.objects.order_by("pk").values_list("pk", flat=True)
    for workspace_id in workspaces:
        with workspace_scope(workspace_id):
            Job.objects.put(PRUNE_JOB, workspace_id, priority=5)
    return len(workspaces)


def run_pruning(lease: Lease) -> None:
    """Handler of the job: in chunks of short transactions, each fenced."""
    now = timezone.now()
    with workspace_scope(lease.workspace_id):
        days = kept_days()
    for kind in retention_kinds:
        before = now - timedelta(days=days[kind.name])
        while _prune_once(lease, kind.name, before):
            lease.extend(timedelta(minutes=5))
    with workspace_scope(lease.workspace_id):
        lease.hold()
        remove_expired_files(now=now)


def _prune_once(lease: Lease, kind: str, before: datetime) -> int:
    with workspace_scope(lease.workspace_id):
        lease.hold()
        return retention_kinds.get(kind).prune(before, CHUNK)


def empty_mails(before: datetime, limit: int) -> int:
    """What a mail said goes; that it was sent, when and how it ended stays."""
    rows = OutboundEmail.objects.filter(created_at__lt=before, status__in=_FINAL).exclude(context={})
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
    return OutboundEmail.objects.filter(pk__in=ids).update(context={})


def drop_decisions(before: datetime, limit: int) -> int:
    return _drop(MailDecision, "decided_at", before, limit)


def drop_notifications(before: datetime, limit: int) -> int:
    return _drop(Notification, "created_at", before, limit)


def drop_answers(before: datetime, limit: int) -> int:
    return _drop(ApiAnswer, "created_at", before, limit)


def drop_webhook_log(before: datetime, limit: int) -> int:
    return _drop(WebhookMessage, "occurred_at", before, limit)


def drop_inbound(before: datetime, limit: int) -> int:
    return _drop(InboundWebhook, "received_at", before, limit)


def _drop(model: type, moment: str, before: datetime, limit: int) -> int:
    manager = model.objects  # type: ignore[attr-defined]
    ids = list(
        manager.filter(**{f"{moment}__lt": before}).order_by("pk").values_list("pk", flat=True)[:limit]
    )
    manager.filter(pk__in=ids).delete()
    return len(ids)
