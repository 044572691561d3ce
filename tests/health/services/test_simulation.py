"""A simulated business arrives in the workspace whole, once, and without its secrets."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import (
    Account,
    AccountTrait,
    Activity,
    BillingCustomer,
    Contact,
    Invoice,
    Membership,
    Note,
    PaymentAttempt,
    Role,
    Subscription,
    SubscriptionChange,
    Ticket,
    User,
    Workspace,
)
from accounts.services.workspaces import add_member, create_workspace
from cs_platform.lib.scoping import workspace_scope
from health.models import Event, IntakeBatch, KeyFeature
from health.services.simulation.conversations import write_tickets
from health.services.simulation.identities import TOLD_AS, Target
from health.services.simulation.writing import extend_business, write_business
from health.simulation import SimulationSpec, simulate

SIZE = ["--accounts", "30", "--days", "90", "--seed", "3", "--end", "2026-11-20"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    """A workspace with an owner and two CSMs."""
    owner = User.objects.create_user("owner@sim.example")
    made = create_workspace(slug="sim", name="Sim", owner=owner, acting_user=None)
    with workspace_scope(made.pk):
        for number in range(2):
            user = User.objects.create_user(f"csm{number}@sim.example")
            add_member(user=user, role=Role.CSM, acting_user=None)
    return made


def run(*more: str) -> dict[str, object]:
    out = io.StringIO()
    call_command("simulate", "--workspace", "sim", *SIZE, *more, "--json", stdout=out)
    answer: dict[str, object] = json.loads(out.getvalue())
    return answer


def test_everything_is_written_once(workspace: Workspace) -> None:
    first, second = run(), run()
    business = simulate(SimulationSpec(end=_end(), accounts=30, days=90, seed=3, csms=2))
    written = first["written"]
    assert isinstance(written, dict)
    assert written["events"] == sum(len(batch) for batch in business.events())
    assert second["written"] == {}
    assert second["existed"] == list(written)
    with workspace_scope(workspace.pk):
        assert Account.objects.count() == 30
        assert AccountTrait.objects.count() == 3 * 30
        assert Contact.objects.count() == len(business.contacts)
        assert Subscription.objects.count() == len(business.subscriptions)
        assert Invoice.objects.count() == len(business.invoices)
        assert PaymentAttempt.objects.count() == sum(len(item.attempts) for item in business.invoices)
        assert Ticket.objects.count() == len(business.tickets)
        assert Event.objects.count() == written["events"]
        assert KeyFeature.objects.count() == 4
        assert IntakeBatch.objects.exists()


def _end() -> date:
    return date(2026, 11, 20)


def test_terms_follow_each_other(workspace: Workspace) -> None:
    run()
    with workspace_scope(workspace.pk):
        for subscription in Subscription.objects.filter(ended_at__isnull=True, status="active"):
            last = (
                SubscriptionChange.objects.filter(subscription=subscription).order_by("effective_at").last()
            )
            assert last is not None
            assert last.mrr_minor == subscription.mrr_minor
        ended = Subscription.objects.filter(ended_at__isnull=False)
        assert all(item.ended_cause and item.status == "canceled" for item in ended)


def test_accounts_are_spread_over_the_csms(workspace: Workspace) -> None:
    run()
    with workspace_scope(workspace.pk):
        csms = set(Membership.objects.filter(role=Role.CSM).values_list("pk", flat=True))
        assert set(Account.objects.filter(csm__isnull=False).values_list("csm", flat=True)) == csms


def test_another_simulation_is_refused(workspace: Workspace) -> None:
    run()
    with pytest.raises(CommandError, match="seed = 3"):
        call_command("simulate", "--workspace", "sim", "--accounts", "30", "--days", "90", "--seed", "4")
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("simulate", "--workspace", "nowhere", "--json", stdout=out)
    assert "nowhere" in json.loads(out.getvalue())["error"]


def test_a_broken_part_leaves_nothing_half_written(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from health.services.simulation import writing

    def breaks(target: Target) -> int:
        write_tickets(target)
        raise RuntimeError("power cut")

    spec = SimulationSpec(end=_end(), accounts=30, days=90, seed=3)
    with monkeypatch.context() as patch:
        patch.setitem(writing.OWN_PARTS, "tickets", breaks)
        with pytest.raises(RuntimeError):
            write_business(workspace=workspace, spec=spec, acting_user=None)
    with workspace_scope(workspace.pk):
        assert Account.objects.exists()
        assert not Ticket.objects.exists()
    again = write_business(workspace=workspace, spec=spec, acting_user=None)
    assert "accounts" in again.existed
    assert "tickets" in again.rows


def test_truth_goes_to_the_file_and_nowhere_else(workspace: Workspace, tmp_path: Path) -> None:
    answer = run("--truth", str(tmp_path / "truth.jsonl"), "--truth-as-of", "2026-10-01")
    lines = (tmp_path / "truth.jsonl").read_text().splitlines()
    assert len(lines) == answer["truth_accounts"]
    with workspace_scope(workspace.pk), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM health_churnprediction")
        assert cursor.fetchone()[0] == 0


def test_apps_above_add_their_parts(workspace: Workspace) -> None:
    from health.registry import SimulatorPart, simulator_parts

    part = SimulatorPart("surveys", lambda target: len(target.business.survey_answers))
    simulator_parts.register(part)
    try:
        written = run()["written"]
        assert isinstance(written, dict)
        assert written["surveys"] > 0
    finally:
        del simulator_parts._items["surveys"]


def test_what_a_payment_provider_tells_of_is_not_told_again(workspace: Workspace) -> None:
    """Its subscription has the provider's id now; going on neither makes it anew nor touches it."""
    run()
    with workspace_scope(workspace.pk):
        row = Subscription.objects.filter(ended_at__isnull=True).order_by("pk").first()
        assert row is not None
        told = {TOLD_AS: row.external_id, "subscription": "sub_real"}
        BillingCustomer.objects.create(account=row.account, external_id="cus_1", properties=told)
        Invoice.objects.filter(subscription=row).delete()
        Subscription.objects.filter(pk=row.pk).update(external_id="sub_real", mrr_minor=1)
        before = Subscription.objects.count()
    extend_business(workspace=workspace, until=date(2026, 12, 5), acting_user=None)
    with workspace_scope(workspace.pk):
        new = Subscription.objects.filter(started_at__date__gte=_end()).count()
        assert Subscription.objects.count() == before + new
        assert not Subscription.objects.filter(external_id=told[TOLD_AS]).exists()
        assert not Invoice.objects.filter(subscription=row).exists()
        row.refresh_from_db()
        assert row.mrr_minor == 1


def test_a_business_goes_on_from_where_it_stopped(workspace: Workspace) -> None:
    until = date(2026, 12, 5)
    assert extend_business(workspace=workspace, until=until, acting_user=None) == 0
    run()
    with workspace_scope(workspace.pk):
        before = Event.objects.count()
    added = extend_business(workspace=workspace, until=until, acting_user=None)
    assert extend_business(workspace=workspace, until=until, acting_user=None) == 0
    spec = SimulationSpec(end=_end(), accounts=30, days=90, seed=3, csms=2).extended_to(until)
    whole = simulate(spec)
    assert run()["written"] == {}
    with workspace_scope(workspace.pk):
        assert Event.objects.count() == before + added == sum(len(batch) for batch in whole.events())
        assert Activity.objects.count() + Note.objects.count() == len(whole.touches) + sum(
            item.ended_cause == "voluntary" for item in whole.subscriptions
        )
        for item in whole.subscriptions:
            row = Subscription.objects.get(external_id=item.external_id)
            assert (row.seats, row.ended_at, row.ended_reason) == (
                item.seats,
                item.cancel_at,
                item.ended_reason,
            )
