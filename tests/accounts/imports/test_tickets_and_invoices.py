"""Support tickets, invoices and the attempts to collect them."""

import pytest

from accounts.models import Invoice, PaymentAttempt, Ticket
from accounts.services import invoices
from cs_platform.lib.scoping import workspace_scope
from tests.accounts.imports.files import counts, problems, utc


@pytest.fixture(autouse=True)
def _accounts(bring):
    with workspace_scope(bring.workspace.pk):
        bring("accounts", "external_id\na\nb\n")
        bring("contacts", "external_id,account,email\nu1,a,mina@example.com\n")
        bring("subscriptions", "external_id,account,mrr,started_at\ns,a,10,2024-01-01\n")
        yield


def test_tickets(bring):
    text = (
        "external_id,account,contact,subject,opened_at,closed_at,priority,satisfaction,hours\n"
        "t1,a,Mina@example.com,Help,2024-01-01,2024-01-02 03:00,medium,4,27\n"
        "t2,a,ghost,Help,2024-01-01,,weird,,\n"
        "t3,a,,Help,2024-01-03,2024-01-02,low,,\n"
        "t4,a,,Help,2024-01-03,,low,9,\n"
    )
    outcome = bring("tickets", text)
    assert counts(outcome) == (2, 0, 0, 2)
    assert problems(outcome) == [(4, "closed_at", "ends_before_start"), (5, "satisfaction", "out_of_range")]
    first, second = Ticket.objects.order_by("external_id")
    assert (first.contact.external_id, first.priority, first.satisfaction) == ("u1", "normal", 4.0)
    assert first.closed_at == utc(2024, 1, 2, 3)
    assert first.properties == {"hours": 27, "priority": "medium"}
    assert (second.contact, second.priority) == (None, "normal")
    assert outcome.warnings == [{"code": "unknown_contact", "value": "ghost", "rows": 1}]
    assert counts(bring("tickets", text)) == (0, 0, 2, 2)


def test_a_ticket_closed_later_is_updated(bring):
    head = "external_id,account,opened_at,closed_at\n"
    bring("tickets", head + "t1,a,2024-01-01,\n")
    assert counts(bring("tickets", head + "t1,a,2024-01-01,2024-01-05\n")) == (0, 1, 0, 0)


def test_other_columns_are_added_to_the_properties(bring):
    bring("tickets", "external_id,account,opened_at,hours\nt1,a,2024-01-01,5\n")
    bring("tickets", "external_id,account,opened_at,team\nt1,a,2024-01-01,core\n")
    assert Ticket.objects.get().properties == {"hours": 5, "team": "core"}


def attempts(external_id: str) -> list[tuple[object, ...]]:
    rows = PaymentAttempt.objects.filter(invoice__external_id=external_id).order_by("number")
    return list(rows.values_list("attempted_at", "status", "decline_code"))


def test_invoices_and_their_attempts(bring):
    text = (
        "external_id,account,subscription,amount,currency,status,due_at,paid_at,attempts,last_error\n"
        "i1,a,s,29.85,USD,paid,2024-02-01,2024-02-05,3,card_declined\n"
        "i2,a,,100,JPY,overdue,2024-02-01,,2,expired_card\n"
        "i3,a,,10,USD,,2024-02-01,2024-02-01,,\n"
        "i4,a,,10,USD,,2024-02-01,,,\n"
        "i5,b,s,10,USD,,2024-02-01,,,\n"
        "i6,b,nope,10,USD,,2024-02-01,,,\n"
        "i7,b,,ten,USD,,2024-02-01,,,\n"
    )
    outcome = bring("invoices", text)
    assert counts(outcome) == (4, 0, 0, 3)
    assert [code for _, _, code in problems(outcome)] == [
        "other_account",
        "unknown_subscription",
        "not_a_number",
    ]
    assert dict(Invoice.objects.values_list("external_id", "amount_minor"))["i2"] == 100
    assert dict(Invoice.objects.values_list("external_id", "status")) == {
        "i1": "paid",
        "i2": "open",
        "i3": "paid",
        "i4": "open",
    }
    assert attempts("i1") == [
        (utc(2024, 2, 1), "failed", ""),
        (utc(2024, 2, 1), "failed", "card_declined"),
        (utc(2024, 2, 5), "succeeded", ""),
    ]
    assert [row[1:] for row in attempts("i2")] == [("failed", ""), ("failed", "expired_card")]
    assert [row[1] for row in attempts("i3")] == ["succeeded"]
    assert attempts("i4") == []
    assert counts(bring("invoices", text)) == (0, 0, 4, 3)


def test_an_invoice_that_is_paid_at_last(bring):
    head = "external_id,account,amount,due_at,paid_at,status,attempts\n"
    bring("invoices", head + "i1,a,10,2024-02-01,,open,1\n")
    assert counts(bring("invoices", head + "i1,a,10,2024-02-01,2024-02-09,paid,2\n")) == (0, 1, 0, 0)
    assert [row[1] for row in attempts("i1")] == ["failed", "succeeded"]


def test_only_what_was_refused_is_told(bring, monkeypatch):
    """New ones that are open and were refused, known ones that were or are; nobody hears of the others."""
    told: list[int] = []
    monkeypatch.setattr(invoices.invoice_changed, "send", told.append)
    head = "external_id,account,amount,status,due_at,paid_at,attempts\n"
    refused, paid = "i1,a,10,open,2024-02-01,,2\n", "i1,a,10,paid,2024-02-01,2024-02-09,3\n"
    quiet = "i2,a,10,paid,2024-02-01,2024-02-01,1\ni3,a,10,open,2024-02-01,,\ni4,a,10,paid,2024-02-01,2024-02-05,3\n"
    ids = []
    for text in (head + refused + quiet, head + refused + quiet, head + paid + quiet):
        told.clear()
        bring("invoices", text)
        ids.append(list(Invoice.objects.filter(pk__in=told).values_list("external_id", flat=True)))
    assert ids == [["i1"], [], ["i1"]]
