"""Acts on cases: what the form says, what happens, and taking it back."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import signing

from accounts.models import AuditEntry, BillingOrder, OutboundEmail
from cs_platform.lib.scoping import workspace_scope
from dunning.models import BillQuestion, DunningCase, DunningStep
from dunning.services.bulk_acts import perform
from dunning.views.acts import UNDO_SALT
from health.models import QueueItem
from tests.accounts.web import web
from tests.builders import NOW, make_account, make_contact
from tests.dunning.builders import make_case

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def cases(cast):
    with workspace_scope(cast.workspace.pk):
        north, south = make_account("Northwind", csm=cast.ben), make_account("Southwind")
        made = [
            make_case(north, 1, failed_at=NOW - timedelta(days=2)),
            make_case(south, 2, failed_at=NOW - timedelta(days=1), amount_minor=99_00, currency="EUR"),
        ]
    with time_machine.travel(LATER, tick=False):
        yield made


@pytest.fixture
def client(cast):
    return web(cast.ben.user)


def named(*cases):
    return {"case": [str(case.public_id) for case in cases], "next": "/dunning/"}


def fresh(cast, case):
    with workspace_scope(cast.workspace.pk):
        return DunningCase.objects.get(pk=case.pk)


def undo_of(response):
    return re.search(r'action="(/dunning/undo/[^"]+)"', response.content.decode()).group(1)


def test_the_form_says_for_how_many_it_goes_and_for_whom_not(cast, client, cases):
    with workspace_scope(cast.workspace.pk):
        perform(act="stop", cases=cases[:1], acting_user=cast.ben.user, now=LATER)
    page = client.get("/dunning/stops/new/", named(*cases)).content.decode()
    assert "1 case can be stopped, <strong>€99</strong>" in page and "Stop collecting from Southwind" in page
    assert "1 stays as it is" in page and "Northwind" in page and "stopped already" in page
    both = client.get("/dunning/notes/new/", named(*cases)).content.decode()
    assert "2 cases get the note" in both
    none = client.get("/dunning/retries/new/", named(*cases)).content.decode()
    assert "no payment provider is connected" in none and "Charge now</button>" not in none


def test_stopping_many_is_one_act_and_is_taken_back_whole(cast, client, cases):
    page = client.post("/dunning/stops/", named(*cases) | {"text": "They asked for time."}, follow=True)
    assert "2 cases stopped." in page.content.decode()
    assert all(fresh(cast, case).stopped_at == LATER for case in cases)
    with workspace_scope(cast.workspace.pk):
        assert DunningStep.objects.filter(kind="note", acting_user=cast.ben.user).count() == 2
    undo = undo_of(page)
    assert "Undone in 2 cases." in client.post(undo, {"next": "/dunning/"}, follow=True).content.decode()
    assert not any(fresh(cast, case).stopped_at for case in cases)
    again = client.post(undo, {"next": "/dunning/"}, follow=True).content.decode()
    assert "nothing to undo" in again


def test_undo_leaves_alone_what_somebody_did_since(cast, client, cases):
    undo = undo_of(client.post("/dunning/stops/", named(*cases), follow=True))
    with workspace_scope(cast.workspace.pk):
        for act in ("resume", "stop"):
            perform(act=act, cases=cases[:1], acting_user=cast.ada, now=LATER + timedelta(minutes=1))
    assert "Undone in 1 case." in client.post(undo, follow=True).content.decode()
    assert fresh(cast, cases[0]).stopped_at and not fresh(cast, cases[1]).stopped_at


def test_undo_needs_its_own_signature_hour_and_workspace(cast, client, cases):
    undo = undo_of(client.post("/dunning/stops/", named(*cases), follow=True))
    assert client.post(undo[:-2] + "xx").status_code == 404
    named_else = {"act": "stop", "cases": [cases[0].pk], "at": LATER.isoformat(), "workspace": 0}
    assert client.post(f"/dunning/undo/?of={signing.dumps(named_else, salt=UNDO_SALT)}").status_code == 404
    assert web(cast.vera.user).post(undo).status_code == 403
    with time_machine.travel(LATER + timedelta(hours=2), tick=False):
        assert client.post(undo).status_code == 404
    assert fresh(cast, cases[0]).stopped_at


def test_a_hand_over_asks_the_csm_with_the_money_and_can_be_taken_back(cast, client, cases):
    page = client.post("/dunning/hand-overs/", named(cases[0]), follow=True)
    with workspace_scope(cast.workspace.pk):
        item = QueueItem.objects.get(account=cases[0].account, closed_at=None)
        assert item.evidence["amount_minor"] == 10_000 and "arr_minor" in item.evidence
    client.post(undo_of(page), follow=True)
    after = fresh(cast, cases[0])
    assert after.handed_over_at is None and after.state == "open"
    with workspace_scope(cast.workspace.pk):
        assert not QueueItem.objects.filter(closed_at=None).exists()


def test_money_that_came_another_way_closes_the_case(cast, client, cases):
    client.post("/dunning/payments/", named(cases[0]), follow=True)
    after = fresh(cast, cases[0])
    assert (after.state, after.recovered_by, after.recovered_minor) == ("recovered", "elsewhere", 10_000)
    page = client.post("/dunning/closings/", named(*cases), follow=True).content.decode()
    assert "Southwind: closed." in page and "Northwind stays as it is: The case is closed." in page
    with workspace_scope(cast.workspace.pk):
        assert AuditEntry.objects.filter(action="dunning.case.closed").count() == 1
        assert not BillingOrder.objects.exists()


def test_an_empty_note_and_unknown_cases_change_nothing(cast, client, cases):
    refused = client.post("/dunning/notes/", named(cases[0]) | {"text": "  "})
    assert refused.status_code == 422 and "required" in refused.content.decode()
    assert client.post("/dunning/notes/", {"text": "Hello"}).status_code == 404
    assert client.post("/dunning/stops/", {"case": ["nonsense"]}).status_code == 404
    assert fresh(cast, cases[0]).step_count == 1


def test_with_nothing_ticked_the_list_says_so(cast, client, cases):
    page = client.get("/dunning/stops/new/", {"next": "/dunning/?state=all"}, follow=True)
    assert page.redirect_chain == [("/dunning/?state=all", 302)]
    assert "Tick at least one payment first." in page.content.decode()
    many = client.get("/dunning/stops/new/", {"case": [str(cases[0].public_id)] * 101}, follow=True)
    assert "At most 100 payments at once." in many.content.decode()


@pytest.mark.parametrize(
    "act", ["retries", "stops", "resumptions", "notes", "hand-overs", "payments", "closings"]
)
def test_who_only_looks_may_not_act(cast, cases, act):
    assert web(cast.vera.user).post(f"/dunning/{act}/", named(*cases)).status_code == 403


def test_in_place_the_list_comes_back_with_its_numbers(cast, client, cases):
    htmx = {"HX-Request": "true", "HX-Target": "case-board"}
    answer = client.post("/dunning/closings/", named(cases[0]), headers=htmx)
    body = answer.content.decode()
    assert answer["HX-Trigger"] == "overlay-close" and 'id="case-board"' in body
    assert 'id="board-lede" hx-swap-oob="true"' in body and "1 open case" in body
    assert "Northwind: closed." in body and f"row-{cases[0].public_id}" not in body


def test_a_question_is_answered_once_by_mail_and_in_the_history(cast, client, cases):
    with workspace_scope(cast.workspace.pk):
        person = make_contact(cases[0].account, email="pat@northwind.test")
        question = BillQuestion.objects.create(
            case=cases[0], account=cases[0].account, contact=person, text="Why twice?", asked_at=NOW
        )
    address = f"/dunning/questions/{question.public_id}/answers/"
    assert "Why twice?" in client.get(f"{address}new/").content.decode()
    assert client.post(address, {"text": ""}).status_code == 422
    page = client.post(address, {"text": "It is for two months."}, follow=True).content.decode()
    assert "on its way" in page
    assert "before" in client.post(address, {"text": "Again."}, follow=True).content.decode()
    with workspace_scope(cast.workspace.pk):
        mail = OutboundEmail.objects.get()
        assert mail.to_address == "pat@northwind.test" and mail.reply_to == cast.ben.user.email
        assert DunningStep.objects.get(kind="note").detail["text"] == "It is for two months."
        assert BillQuestion.objects.get().answered_by == cast.ben.user


def test_the_same_note_pressed_twice_is_one(cast, client, cases):
    for text in ("Rang them.", "Rang them.", "Rang them again."):
        client.post("/dunning/notes/", {**named(cases[0]), "text": text}, follow=True)
    with workspace_scope(cast.workspace.pk):
        notes = fresh(cast, cases[0]).steps.filter(kind="note")
        assert [row.detail["text"] for row in notes.order_by("number")] == ["Rang them.", "Rang them again."]
