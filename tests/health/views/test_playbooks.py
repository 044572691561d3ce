"""Pages of playbooks: editor without JavaScript, dry run, publish, runs, starting by hand."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cs_platform.lib.scoping import workspace_scope
from health.models import Assignment, Sequence, SequenceRun, SequenceVersion
from health.sequences.library import READY
from health.services.sequence_engine import advance
from health.services.sequences import enrol_due
from tests.builders import NOW
from tests.health.sequences.builders import ASK, EVENING, mail_step, make_quiet, make_sequence, make_text


@pytest.fixture
def ada(cast):
    client = Client()
    client.force_login(cast.ada)
    return client


@pytest.fixture
def inside(cast):
    """Runs a block in Acme's scope, closed again before a page is asked for."""
    return lambda: workspace_scope(cast.workspace.pk)


def text_of(response):
    return response.content.decode()


def editor_data(sequence, **changes):
    data = {
        "name": sequence.name,
        "on": "risk",
        "causes": ["gone_quiet"],
        "exits": ["risk_closed"],
        "again_days": "90",
        "at_most": "3",
        "daily_cap": "25",
        "holdout_percent": "0",
        "window_days": "90",
        "s0-id": "a",
        "s0-kind": "queue_item",
        "s0-title": "Call them",
        "s0-instruction": "",
        "s0-severity": "3",
        "do": "draft",
    }
    return data | changes


def draft(sequence):
    return SequenceVersion.objects.get(sequence=sequence, published_at=None).definition


def test_the_way_from_a_ready_playbook_to_a_run(ada, inside):
    with inside():
        make_quiet("North")
    page = ada.get("/playbooks/new/")
    assert text_of(page).count("Use as a draft") == len(READY)
    made = ada.post("/playbooks/new/", {"ready": "gone-quiet"})
    with inside():
        sequence = Sequence.objects.get(kind="playbook")
        assert draft(sequence)["steps"][0]["text"], "the workspace's own text stands in the step"
    assert made.url == f"/playbooks/{sequence.public_id}/edit/"
    assert ada.get(made.url).status_code == 200
    preview = text_of(ada.get(f"/playbooks/{sequence.public_id}/preview/"))
    assert "mina@north.example" in preview and "We have not seen your team for a while" in preview
    assert ada.post(f"/playbooks/{sequence.public_id}/publication/", {"note": "first"}).status_code == 302
    with inside():
        assert (
            enrol_due(sequence, now=NOW).begun + Assignment.objects.filter(variant__is_holdout=True).count()
            == 1
        )
    page = text_of(ada.get(f"/playbooks/{sequence.public_id}/"))
    assert "Too early to say" in page and "10%" in page
    assert "Too early to say" in text_of(ada.get("/playbooks/"))


def test_every_ready_playbook_is_complete_in_both_languages(ada, cast, inside):
    for language in ("en", "ko"):
        cast.workspace.language = language
        cast.workspace.save()
        for item in READY:
            with inside():
                Sequence.objects.all().delete()
            ada.post("/playbooks/new/", {"ready": item.key})
            with inside():
                sequence = Sequence.objects.get(kind="playbook")
            assert ada.get(f"/playbooks/{sequence.public_id}/preview/").status_code == 200, item.key
    assert any("\uac00" <= letter <= "\ud7a3" for letter in sequence.name)


def test_steps_are_added_moved_and_removed_without_javascript(ada, inside):
    with inside():
        sequence = make_sequence(ASK)
    path = f"/playbooks/{sequence.public_id}/edit/"
    ada.post(path, editor_data(sequence, do="add", new_kind="wait"))
    with inside():
        steps = draft(sequence)["steps"]
    assert [step["kind"] for step in steps] == ["queue_item", "wait"]
    wait = {"s1-id": steps[1]["id"], "s1-kind": "wait", "s1-amount": "2", "s1-unit": "days"}
    assert ada.post(path, editor_data(sequence, **wait, do="up-1")).url.endswith("#step-1")
    with inside():
        assert [step["kind"] for step in draft(sequence)["steps"]] == ["wait", "queue_item"]
    ada.post(path, editor_data(sequence, **wait, do="drop-0"))
    with inside():
        assert [step["kind"] for step in draft(sequence)["steps"]] == ["wait"]


def test_mistakes_stand_beside_their_step_and_nothing_is_lost(ada, inside):
    with inside():
        sequence = make_sequence(ASK)
    data = editor_data(sequence, do="preview", daily_cap="many")
    data |= {"s0-title": "", "s0-instruction": "Do it <b>now</b>"}
    response = ada.post(f"/playbooks/{sequence.public_id}/edit/", data)
    page = text_of(response)
    assert response.status_code == 422
    assert "Fill in this value." in page and "Enter a whole number." in page
    assert "Do it &lt;b&gt;now&lt;/b&gt;" in page and 'value="many"' in page
    with inside():
        assert draft(sequence)["steps"][0]["instruction"] == "Do it <b>now</b>"


def test_a_branch_rule_is_built_by_buttons_alone(ada, inside):
    with inside():
        sequence = make_sequence(ASK)
    path = f"/playbooks/{sequence.public_id}/edit/"
    branch = {
        "s1-id": "b",
        "s1-kind": "branch",
        "s1-tree": ["r:group", "r.0:rule"],
        "s1-tree.r.joiner": "all",
        "s1-tree.r.0.field": "name",
        "s1-tree.r.0.op": "contains",
        "s1-tree.r.0.value": "North",
        "s1-yes": "end",
        "s1-no": "step:a",
    }
    page = ada.post(path, editor_data(sequence, **branch, **{"s1-tree.act": "add:r"}))
    assert page.status_code == 200 and "s1-tree.r.1.field" in text_of(page)
    ada.post(path, editor_data(sequence, **branch))
    with inside():
        step = draft(sequence)["steps"][1]
    assert step["tree"] == {"all": [{"field": "name", "op": "contains", "value": "North"}]}
    assert step["no"] == "step:a"


def test_the_dry_run_names_everybody_and_says_why_not(ada, inside):
    with inside():
        text = make_text()
        make_quiet("North"), make_quiet("South", is_customer=False)
        sequence = make_sequence(EVENING, mail_step(text))
    page = text_of(ada.get(f"/playbooks/{sequence.public_id}/preview/"))
    assert "Hello Mina" in page and "mina@north.example" in page
    assert "It has no running subscription." in page and "South" in page
    sheet = ada.get(f"/playbooks/{sequence.public_id}/preview.csv").content.decode()
    assert "North" in sheet and "Hello Mina" in sheet and "South" in sheet


def test_the_cap_is_announced_before_and_shown_after(ada, inside):
    with inside():
        sequence = make_sequence(EVENING, daily_cap=1)
        make_quiet("North"), make_quiet("South")
    assert "More than a day" in text_of(ada.get(f"/playbooks/{sequence.public_id}/preview/"))
    with inside():
        enrol_due(sequence, now=NOW)
    page = text_of(ada.get(f"/playbooks/{sequence.public_id}/"))
    assert "Paused by the daily cap." in page
    ada.post(f"/playbooks/{sequence.public_id}/release/")
    with inside():
        assert Sequence.objects.get(kind="playbook").paused_at is None


def test_starting_by_hand_shows_what_would_happen_first(ada, inside):
    with inside():
        account = make_quiet("North")
        sequence = make_sequence(EVENING, mail_step(make_text()), holdout_percent=10)
    ask = f"/playbooks/runs/new/?account={account.public_id}"
    assert sequence.name in text_of(ada.get(ask))
    page = text_of(ada.get(f"{ask}&playbook={sequence.public_id}"))
    assert "Hello Mina" in page and "mina@north.example" in page
    data = {"account": account.public_id, "playbook": sequence.public_id, "token": "t"}
    for _twice in range(2):
        assert ada.post("/playbooks/runs/", data).status_code in (302, 422)
    with inside():
        run = SequenceRun.objects.get()
        assert run.source.startswith("risk:") and run.started_by is not None
    assert ada.get(f"/playbooks/runs/{run.public_id}/").status_code == 200
    assert sequence.name in text_of(ada.get(f"/accounts/{account.public_id}/"))


def test_an_account_held_out_is_started_by_nobody_and_the_page_says_so(ada, inside):
    with inside():
        sequence = make_sequence(EVENING, holdout_percent=50)
        accounts = [make_quiet(f"Quiet {number}") for number in range(8)]
        enrol_due(sequence, now=NOW)
        held = Assignment.objects.filter(variant__is_holdout=True).values_list("account_id", flat=True)
        account = next(account for account in accounts if account.pk in set(held))
    assert "Held out of" in text_of(ada.get(f"/accounts/{account.public_id}/"))
    address = f"/playbooks/runs/new/?account={account.public_id}&playbook={sequence.public_id}"
    assert "held out" in text_of(ada.get(address))
    data = {"account": account.public_id, "playbook": sequence.public_id, "token": "t"}
    assert ada.post("/playbooks/runs/", data).status_code == 422
    with inside():
        assert not SequenceRun.objects.filter(account=account).exists()


def test_a_run_is_held_let_go_on_and_ended(ada, inside):
    with inside():
        account = make_quiet("North")
        sequence = make_sequence(ASK, EVENING)
        enrol_due(sequence, now=NOW)
        run = SequenceRun.objects.get(account=account)
        advance(run.pk, now=NOW)
    path = f"/playbooks/runs/{run.public_id}/"
    for act, state in (("pause", "paused"), ("resumption", "waiting"), ("exit", "exited")):
        ada.post(f"{path}{act}/")
        with inside():
            assert SequenceRun.objects.get().state == state
    assert "Ended by hand" in text_of(ada.get(path))


def test_pages_need_the_same_queries_for_few_and_many(ada, inside):
    def counts():
        with inside():
            fresh = make_sequence(EVENING, mail_step(text), name=f"Fresh {Sequence.objects.count()}")
        found = []
        for address in (
            "/playbooks/",
            f"/playbooks/{sequence.public_id}/",
            f"/playbooks/{sequence.public_id}/edit/",
            f"/playbooks/{fresh.public_id}/preview/",
        ):
            with CaptureQueriesContext(connection) as captured:
                assert ada.get(address).status_code == 200
            found.append(len(captured))
        return found

    with inside():
        text = make_text()
        make_quiet("Quiet")
        sequence = make_sequence(mail_step(text), EVENING)
        enrol_due(sequence, now=NOW)
    few = counts()
    with inside():
        for number in range(20):
            make_quiet(f"Quiet {number}")
            make_sequence(ASK, name=f"Other {number}")
        enrol_due(sequence, now=NOW)
    assert counts() == few
    assert max(few) <= 45, few  # opening the workspace takes 16 of them
