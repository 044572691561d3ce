"""The demo: four people who can sign in, a filled queue, and a second start that changes nothing."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import Account, Membership, Role, User, Workspace
from cs_platform.lib.scoping import workspace_scope
from health.models import (
    AccountState,
    Event,
    HealthScore,
    IntakeBatch,
    ModelVersion,
    NightRun,
    QueueEntry,
    Risk,
)

pytestmark = pytest.mark.django_db(transaction=True)
SIZE = {"accounts": 60, "days": 120}


def prepare() -> list[list[str]]:
    out = io.StringIO()
    call_command("seed_demo", prepare=True, stdout=out)
    return [line.split() for line in out.getvalue().splitlines()]


def test_the_people_come_first_and_keep_their_passwords() -> None:
    first, second = prepare(), prepare()
    assert first == second
    assert [line[:2] for line in first] == [["login", role] for role in ("owner", "admin", "csm", "viewer")]
    for _, role, email, password in first:
        user = User.objects.get(email=email)
        assert user.check_password(password)
        assert [member.role for member in user.memberships()] == [role]


def test_seeding_fills_the_queue_once() -> None:
    prepare()
    call_command("seed_demo", **SIZE, stdout=io.StringIO(), stderr=io.StringIO())
    workspace = Workspace.objects.get(slug="demo")
    with workspace_scope(workspace.pk):
        assert Account.objects.count() == 60
        assert Membership.objects.filter(role=Role.CSM).count() == 6
        assert not IntakeBatch.objects.exists()
        assert AccountState.objects.filter(is_customer=True).exists()
        assert HealthScore.objects.values("as_of").distinct().count() > 5
        assert QueueEntry.objects.exists()
        assert not ModelVersion.objects.get().is_eligible  # far too few have left
        assert NightRun.objects.get().status == "done"
        events = Event.objects.count()
    out = io.StringIO()
    call_command("seed_demo", **SIZE, stdout=out)
    assert "there already" in out.getvalue()
    with workspace_scope(workspace.pk):
        assert Event.objects.count() == events


def test_days_later_the_customers_still_live() -> None:
    prepare()
    call_command("seed_demo", **SIZE, stdout=io.StringIO(), stderr=io.StringIO())
    workspace = Workspace.objects.get(slug="demo")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=20), tick=False):
        out = io.StringIO()
        call_command("seed_demo", **SIZE, stdout=out, stderr=io.StringIO())
        with workspace_scope(workspace.pk):
            nights = NightRun.objects.filter(status="done").order_by("as_of")
            assert (nights[1].as_of - nights[0].as_of).days == 20
            quiet = Risk.objects.filter(cause="gone_quiet", closed_on__isnull=True).count()
            assert quiet < 0.3 * AccountState.objects.filter(is_customer=True).count()
