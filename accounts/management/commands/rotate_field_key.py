"""`manage.py rotate_field_key`: write every encrypted secret anew with the first of the keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models

from accounts.management.base import ReportingCommand
from accounts.models import Workspace
from accounts.models.base import WorkspaceModel
from cs_platform.lib.encryption import EncryptedTextField
from cs_platform.lib.scoping import workspace_scope

_CHUNK = 500


class Command(ReportingCommand):
    help = "Put the new key in front of FIELD_ENCRYPTION_KEY (new,old), restart, run this, drop the old key."

    def run(self, **_: Any) -> dict[str, Any]:
        rows = 0
        for workspace_id in Workspace.objects.order_by("pk").values_list("pk", flat=True):
            for model, names in encrypted_models():
                rows += _rewrite(workspace_id, model, names)
        return {"rows": rows}


def encrypted_models() -> Iterator[tuple[type[WorkspaceModel], list[str]]]:
    """Every workspace model that holds secrets, with their fields."""
    for model in apps.get_models():
        names = [f.attname for f in model._meta.concrete_fields if isinstance(f, EncryptedTextField)]
        if names and issubclass(model, WorkspaceModel):
            yield model, names


def _rewrite(workspace_id: int, model: type[WorkspaceModel], names: list[str]) -> int:
    """In short transactions, so that nobody waits; rows written meanwhile have the new key already."""
    done, last = 0, 0
    while True:
        with workspace_scope(workspace_id):
            chunk: list[models.Model] = list(
                model.objects.select_for_update().filter(pk__gt=last).order_by("pk")[:_CHUNK]
            )
            if not chunk:
                return done
            model.objects.bulk_update(chunk, names)
            done, last = done + len(chunk), chunk[-1].pk
