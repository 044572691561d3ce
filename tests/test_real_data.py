"""Other companies' data, as they come: imported, scored, judged, worked.

Reads the shared data folder; nothing of it is copied into the project.
"""

import json
import os
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.models import Account
from cs_platform.lib.scoping import workspace_scope
from health.models import AccountState, ModelVersion, QueueEntry
from tests.builders import make_workspace
from tests.stack import REPOSITORY

DATA = Path(os.environ.get("SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
pytestmark = [pytest.mark.django_db, pytest.mark.shared_data]


def run(command, *files, **options):
    """The command's JSON; its progress is swallowed."""
    out = StringIO()
    call_command(command, *files, json=True, stdout=out, stderr=StringIO(), **options)
    return json.loads(out.getvalue())


@pytest.fixture
def telco():
    workspace = make_workspace("telco", horizon_days=30)
    run(
        "import_accounts", str(DATA / "telco/accounts.csv"), workspace="telco", map=["customerID=external_id"]
    )
    run(
        "import_subscriptions",
        str(DATA / "telco/subscriptions.csv"),
        workspace="telco",
        map=["customerID=account", "billing_term=billing_interval", "monthly_amount=mrr"]
        + ["started_on=started_at", "ended_on=ended_at"],
    )
    return workspace


@pytest.fixture
def ravenstack():
    workspace = make_workspace("ravenstack")

    def load(kind, name, *mapping, **options):
        return run(
            f"import_{kind}",
            str(DATA / f"ravenstack/{name}.csv"),
            workspace="ravenstack",
            map=list(mapping),
            date_format="day-first",
            **options,
        )

    load("accounts", "accounts", "account_id=external_id", "account_name=name", "signup_date=created_at")
    load(
        "subscriptions",
        "subscriptions",
        *("subscription_id=external_id", "account_id=account", "start_date=started_at", "end_date=ended_at"),
        *("plan_tier=plan", "mrr_amount=mrr", "billing_frequency=billing_interval"),
        drop=["churn_flag"],
    )
    load(
        "events",
        "feature_usage",
        *("usage_id=message_id", "subscription_id=subscription", "usage_date=occurred_at"),
        *("feature_name=event", "usage_count=quantity"),
    )
    load(
        "tickets",
        "support_tickets",
        *("ticket_id=external_id", "account_id=account", "submitted_at=opened_at"),
        "satisfaction_score=satisfaction",
    )
    load(
        "cancellations",
        "churn_events",
        *("account_id=account", "churn_date=occurred_at", "reason_code=reason", "feedback_text=comment"),
    )
    return workspace


def test_telco_goes_live_with_its_stated_quality(telco):
    record = run("train_churn_model", workspace="telco", as_of=None, horizon_days=None)
    assert record["split"] == "by_account"
    assert record["rows"] == 7043
    assert record["churned"] == 1869
    assert record["roc_auc"] >= 0.84
    assert record["ece"] <= 0.03
    assert record["live"] is True
    run("run_daily", workspace="telco", as_of=date(2026, 7, 1))
    with workspace_scope(telco.pk):
        assert AccountState.objects.filter(churn_probability__isnull=False).count() > 7000
        assert QueueEntry.objects.exists()


def test_ravenstack_comes_in_and_its_model_does_not_go_live(ravenstack):
    with workspace_scope(ravenstack.pk):
        assert Account.objects.count() == 500
    run("run_daily", workspace="ravenstack", as_of=date(2024, 12, 31))
    record = run("train_churn_model", workspace="ravenstack", as_of=date(2024, 12, 31), horizon_days=None)
    assert record["live"] is False
    assert record["reason_code"] in ("no_better_than_chance", "loses_to_constant", "loses_to_health_score")
    caught = {row["feature"]: row["code"] for row in record["left_out"]}
    assert caught.get("trait:churn_flag") in ("names_the_end", "separates", "pure_level")
    with workspace_scope(ravenstack.pk):
        assert ModelVersion.objects.get().live_from is None
        assert AccountState.objects.filter(health_score__isnull=False).count() > 400
        assert QueueEntry.objects.exists()
