"""Other companies' data comes in with mappings alone; the commands are those of docs/imports.md."""

import json
import os
import shlex
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Sum

from accounts.models import (
    Account,
    AccountTrait,
    Activity,
    MrrMovement,
    Subscription,
    Ticket,
    TraitDefinition,
)
from cs_platform.embedded.paths import REPOSITORY
from cs_platform.lib.scoping import workspace_scope
from health.models import Event, UsageRollup
from health.services.fold import fold_workspace
from tests.accounts.imports.files import utc
from tests.accounts.imports.test_commands import answer
from tests.builders import make_workspace

pytestmark = [pytest.mark.shared_data, pytest.mark.django_db]
DOCS = (REPOSITORY / "docs" / "imports.md").read_text(encoding="utf-8")


def data(name: str) -> Path:
    folder = Path(os.environ.get("SHARED_DATA") or REPOSITORY.parent / "shared" / "data") / name
    if not folder.is_dir():
        pytest.skip(f"data set {name!r} not found; set SHARED_DATA to the folder that holds it")
    return folder


def documented(workspace: str) -> list[list[str]]:
    """The command lines of the docs for one workspace, split into words."""
    text = DOCS.replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("manage.py import_")]
    return [words for line in lines if workspace in (words := shlex.split(line)[1:])]


def run_documented(name: str) -> list[dict[str, Any]]:
    folder = data(name)
    make_workspace(name, horizon_days=30)
    results = []
    for command, *words in documented(name):
        words = [str(folder / word.split("/")[-1]) if word.endswith(".csv") else word for word in words]
        out = StringIO()
        call_command(command, *words, "--json", stdout=out, stderr=StringIO())
        results.append(json.loads(out.getvalue()))
    return results


@pytest.mark.slow
def test_telco():
    results = run_documented("telco")
    assert [(r["kind"], r["rows_created"], r["rows_rejected"]) for r in results] == [
        ("accounts", 7043, 0),
        ("subscriptions", 7043, 0),
    ]
    from accounts.models import Workspace

    with workspace_scope(Workspace.objects.get(slug="telco").pk):
        kinds = dict(TraitDefinition.objects.values_list("key", "kind"))
        assert (kinds["TotalCharges"], kinds["Partner"], kinds["PaymentMethod"]) == (
            "number",
            "boolean",
            "text",
        )
        assert AccountTrait.objects.filter(definition__key="TotalCharges").count() == 7043 - 11
        assert Subscription.objects.filter(ended_at__isnull=False).count() == 1869
        ended = Subscription.objects.filter(ended_at__gte=utc(2026, 7, 1), ended_at__lt=utc(2026, 7, 31))
        assert ended.count() == 1869
        terms = Subscription.objects.filter(properties__billing_term="Two year")
        assert set(terms.values_list("billing_interval", "term_months")) == {("year", 24)}
        assert not Account.objects.filter(created_at__gt=utc(2026, 6, 30)).exists()
    again = answer(
        "import_accounts",
        str(data("telco") / "accounts.csv"),
        workspace="telco",
        map=["customerID=external_id"],
    )
    assert again["rows_unchanged"] == 7043


@pytest.mark.slow
def test_ravenstack():
    results = run_documented("ravenstack")
    assert [(r["kind"], r["rows_created"], r["rows_rejected"]) for r in results] == [
        ("accounts", 500, 0),
        ("subscriptions", 5000, 0),
        ("events", 25_000, 0),
        ("tickets", 2000, 0),
        ("cancellations", 599, 1),
    ]
    from accounts.models import Workspace

    workspace = Workspace.objects.get(slug="ravenstack")
    with workspace_scope(workspace.pk):
        assert "churn_flag" not in TraitDefinition.objects.values_list("key", flat=True)
        assert not Event.objects.filter(account__isnull=True).exists()
        assert Ticket.objects.filter(closed_at__hour__gt=0).exists()
        assert Activity.objects.filter(kind="cancellation").count() == 599
        running = Subscription.objects.filter(ended_at__isnull=True).aggregate(total=Sum("mrr_minor"))
        assert MrrMovement.objects.aggregate(total=Sum("amount_minor")) == running
    fold_workspace(workspace.pk)
    with workspace_scope(workspace.pk):
        assert UsageRollup.objects.aggregate(total=Sum("events"))["total"] == 25_000
