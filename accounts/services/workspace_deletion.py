"""Deletion of a workspace: asked for by an owner, done after a time of grace, then complete."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.apps import apps
from django.db import connections, transaction

from accounts.models import Job, Membership, User, Workspace
from accounts.models.base import WorkspaceModel
from accounts.services.audit import audit
from cs_platform.lib.scoping import user_scope, workspace_scope

log = structlog.get_logger(__name__)

GRACE = timedelta(days=14)


@transaction.atomic
def request_deletion(*, workspace: Workspace, acting_user: User, now: datetime) -> None:
    """Everything goes after the time of grace, unless an owner takes it back."""
    workspace.deletion_requested_at, workspace.deletion_due_at = now, now + GRACE
    workspace.save(update_fields=["deletion_requested_at", "deletion_due_at"])
    audit("accounts.workspace.deletion_requested", acting_user=acting_user, target=workspace)


@transaction.atomic
def withdraw_deletion(*, workspace: Workspace, acting_user: User) -> None:
    workspace.deletion_requested_at = workspace.deletion_due_at = None
    workspace.save(update_fields=["deletion_requested_at", "deletion_due_at"])
    audit("accounts.workspace.deletion_withdrawn", acting_user=acting_user, target=workspace)


def delete_due_workspaces(now: datetime) -> int:
    """Delete what is due; returns how many workspaces went."""
    due = Workspace.objects.filter(deletion_due_at__lte=now).order_by("pk")
    return sum(_delete(workspace) for workspace in due)


def _delete(workspace: Workspace) -> int:
    """All rows in one transaction of the owner's connection: the audit log may be deleted by nobody else.

    Foreign keys are checked at its end, so that the order does not matter.
    """
    with workspace_scope(workspace.pk):
        users = list(Membership.objects.values_list("user_id", flat=True))
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('app.workspace', %s, true)", [str(workspace.pk)])
        for model in apps.get_models():
            if issubclass(model, WorkspaceModel) and not model._meta.proxy:
                cursor.execute(
                    f'DELETE FROM "{model._meta.db_table}" WHERE workspace_id = %s', [workspace.pk]
                )
        cursor.execute(f'DELETE FROM "{Job._meta.db_table}" WHERE workspace_id = %s', [workspace.pk])
        cursor.execute(f'DELETE FROM "{Workspace._meta.db_table}" WHERE id = %s', [workspace.pk])
    for user in User.objects.filter(pk__in=users):
        if not _is_known_elsewhere(user):
            _delete_login(user)
    log.info("workspace.deleted", workspace_id=workspace.pk)
    return 1


def _delete_login(user: User) -> None:
    """The login with its second factors and addresses; workspace tables do not know it any more."""
    with transaction.atomic():
        for model in apps.get_models():
            if issubclass(model, WorkspaceModel) or model._meta.proxy:
                continue
            names = [f.name for f in model._meta.concrete_fields if f.related_model is User]
            for name in names:
                model._base_manager.filter(**{name: user.pk})._raw_delete("default")
        User.objects.filter(pk=user.pk)._raw_delete("default")


def _is_known_elsewhere(user: User) -> bool:
    """A login stays while any workspace knows it, also one that took its access away."""
    with user_scope(user.pk):
        return Membership.of_users.filter(user_id=user.pk).exists()
