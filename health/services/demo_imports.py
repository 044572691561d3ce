"""The demo's imports: a file of new people with two bad rows, and an older one that was undone."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from django.utils.crypto import salted_hmac

from accounts.imports.mapping import ImportOptions
from accounts.models import Account, Import, User, Workspace
from accounts.services.import_undo import undo_import
from accounts.services.imports import prepare_file, run_import
from cs_platform.lib.scoping import workspace_scope
from health.models import Scorecard, ScorecardVersion
from health.services import scorecards

PEOPLE = ("Hana Seo", "Luis Ortega", "Priya Nair", "Tom Becker", "Ingrid Dahl", "Minjun Cho")
WORDS = "As agreed in the workshop"


def write_demo_imports(workspace: Workspace, *, admin: User, now: datetime) -> int:
    """Once: a finished import and an undone one, and a scorecard that somebody has published."""
    with workspace_scope(workspace.pk):
        if Import.objects.filter(file_name="people-from-crm.csv").exists():
            return 0
        keys = list(Account.objects.order_by("pk").values_list("external_id", flat=True)[:30])
        _publish(admin, now)
    rows = [_person(key, number) for number, key in enumerate(keys)]
    bad = [
        "unknown-customer,Nobody,nobody@example.com,user",
        f"{keys[0] if keys else 'x'},Typo,not-an-address,user",
    ]
    with tempfile.TemporaryDirectory() as folder:
        first = _bring(workspace, admin, Path(folder) / "people-test.csv", rows[:5])
        with workspace_scope(workspace.pk):
            undo_import(source_import=first, acting_user=admin, now=now)
        _bring(workspace, admin, Path(folder) / "people-from-crm.csv", [*rows, *bad])
    return len(rows)


def _person(key: str, number: int) -> str:
    name = PEOPLE[number % len(PEOPLE)]
    handle = salted_hmac("health.demo.people", key).hexdigest()[:6]
    return f"{key},{name},{name.split()[0].lower()}.{handle}@customer.example,user"


def _bring(workspace: Workspace, admin: User, path: Path, rows: list[str]) -> Import:
    path.write_text("\n".join(["account_id,full_name,mail,role", *rows]) + "\n", encoding="utf-8")
    options = ImportOptions(mapping={"account_id": "account", "full_name": "name", "mail": "email"})
    prepared = prepare_file(workspace=workspace, kind="contacts", path=path, options=options)
    return run_import(workspace=workspace, prepared=prepared, acting_user=admin).source_import


def _publish(admin: User, now: datetime) -> None:
    card = Scorecard.objects.order_by("pk").first()
    if card is None or ScorecardVersion.objects.filter(published_by__isnull=False).exists():
        return
    version = scorecards.newest_published(card)
    if version is not None:
        scorecards.publish(card=card, definition=version.definition, note=WORDS, acting_user=admin, now=now)
