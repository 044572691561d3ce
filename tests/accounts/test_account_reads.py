"""What the account's page reads at once for several of its parts."""

from datetime import timedelta

import pytest
from django.db.models import F

from accounts.models import Account, LetGo, Ticket
from accounts.queries.account_panels import tickets_panel
from accounts.queries.let_go import open_let_go, with_let_go
from accounts.queries.timeline import ticket_entries
from tests.builders import NOW, make_account

pytestmark = pytest.mark.usefixtures("scope")


def test_tickets_are_read_once_for_panel_and_timeline(django_assert_num_queries):
    account = make_account()
    for number in range(45):
        moment = NOW - timedelta(days=number)
        Ticket.objects.create(
            account=account,
            external_id=f"t{number}",
            subject=f"T{number}",
            opened_at=moment,
            closed_at=moment,
        )
    Ticket.objects.filter(external_id="t44").update(closed_at=None)
    apart = ticket_entries(Account.objects.get(), 40)
    with django_assert_num_queries(1):
        panel = tickets_panel(account, NOW)
        assert ticket_entries(account, 40) == apart
        assert ticket_entries(account, 3) == apart[:3]
    in_turn = Ticket.objects.order_by(F("closed_at").desc(nulls_first=True), "-opened_at")[:8]
    assert [t.subject for t in panel["tickets"]] == [t.subject for t in in_turn] and in_turn[
        0
    ].subject == "T44"
    assert (panel["open"], panel["recent"]) == (1, 45)


def test_an_account_comes_with_the_decision_in_force():
    account = make_account()
    assert not hasattr(with_let_go(Account.objects.all()).get(), "standing_let_go")
    LetGo.objects.create(account=account, note="Over", decided_at=NOW, withdrawn_at=NOW)
    assert not hasattr(with_let_go(Account.objects.all()).get(), "standing_let_go")
    decision = LetGo.objects.create(account=account, note="Too small", decided_at=NOW)
    assert with_let_go(Account.objects.all()).get().standing_let_go == decision == open_let_go(account)
