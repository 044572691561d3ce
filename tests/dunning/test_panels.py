"""Failed payments outside their own pages: account, first page, search, segments, API, messages, risks."""

from datetime import timedelta

import pytest
import time_machine

from accounts.models import Invoice, Job, WebhookEndpoint, WebhookMessage
from accounts.queries.segments import account_ids_in
from accounts.segments import parse_tree
from cs_platform.lib.scoping import workspace_scope
from dunning.services import case_verbs
from dunning.services.cases import open_case
from tests.accounts.web import web
from tests.api_world import api_key
from tests.builders import NOW, make_account
from tests.dunning.builders import make_case, make_invoice


@pytest.fixture
def cases(cast):
    with workspace_scope(cast.workspace.pk):
        north, south = make_account("Northwind"), make_account("Southwind")
        made = [
            make_case(north, 1, failed_at=NOW - timedelta(days=2)),
            make_case(south, 2, failed_at=NOW - timedelta(days=40), state="recovered", recovered_by="person"),
        ]
        Invoice.objects.filter(pk=made[0].invoice_id).update(number="TM-0042")
    with time_machine.travel(NOW, tick=False):
        yield made


def test_the_account_shows_what_is_open_and_what_happened(cast, cases):
    page = web(cast.vera.user).get(f"/accounts/{cases[0].account.public_id}/").content.decode()
    panel = page[page.index('id="panel-failed_payments"') :]
    assert "TM-0042" in panel and "$100" in panel
    assert f"/dunning/cases/{cases[0].public_id}/" in page[page.index('id="panel-timeline"') :]
    closed = web(cast.vera.user).get(f"/accounts/{cases[1].account.public_id}/").content.decode()
    assert "1 earlier case" in closed and "A person" in closed


def test_the_first_page_counts_them(cast, cases):
    assert "<strong>1</strong> open case, $100." in web(cast.ben.user).get("/").content.decode()


def test_an_invoice_is_found_by_its_number(cast, cases):
    found = web(cast.vera.user).get("/search/", {"q": "tm-00"}).content.decode()
    assert f"/dunning/cases/{cases[0].public_id}/" in found
    assert "/dunning/cases/" not in web(cast.vera.user).get("/search/", {"q": "tm"}).content.decode()


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ({"field": "has_open_case", "op": "yes"}, "Northwind"),
        ({"field": "has_open_case", "op": "no"}, "Southwind"),
        ({"field": "failed_payment_class", "op": "any_of", "value": ["soft_funds"]}, "Northwind"),
    ],
)
def test_segments_ask_for_failed_payments(cast, cases, rule, name):
    with workspace_scope(cast.workspace.pk):
        found = account_ids_in(parse_tree({"all": [rule]}), now=NOW)
        assert found == {case.account_id for case in cases if case.account.name == name}


def test_the_api_lists_them(cast, cases, client):
    with workspace_scope(cast.workspace.pk):
        headers = {"Authorization": f"Bearer {api_key(cast.workspace)[1]}"}
    listed = client.get("/api/v1/dunning-cases/", {"state": "open"}, headers=headers).json()["results"]
    assert [(row["invoice_number"], row["amount_minor"], row["phase"]) for row in listed] == [
        ("TM-0042", 10_000, "waiting")
    ]
    closed = client.get("/api/v1/dunning-cases/", {"state": "recovered"}, headers=headers).json()["results"]
    assert closed[0]["recovered_by"] == "person"


def test_messages_go_out_and_risks_look_anew_when_a_case_opens_and_ends(cast):
    with workspace_scope(cast.workspace.pk):
        WebhookEndpoint.objects.create(url="https://hook.example/", secret="s", event_types=[])
        account = make_account("Northwind")
        case = open_case(make_invoice(account, failed_at=NOW), now=NOW + timedelta(minutes=1))
        assert case is not None
        case_verbs.mark_paid_by_hand(case=case, acting_user=cast.ben.user, now=NOW + timedelta(hours=1))
        told = dict(WebhookMessage.objects.values_list("event_type", "payload"))
        assert set(told) == {"dunning.case_opened", "dunning.case_recovered"}
        assert told["dunning.case_recovered"]["recovered_by"] == "elsewhere"
        assert told["dunning.case_opened"]["account"] == account.external_id
        assert Job.objects.filter(kind="health.at_once", object_id=account.pk).exists()
