"""The scorecard editor: nothing typed is lost, nothing changes before publishing, everything can be taken back."""

from __future__ import annotations

import re

import pytest

from accounts.models import AuditEntry, Job
from cs_platform.lib.scoping import workspace_scope
from health.models import HealthScore, Scorecard, ScorecardVersion
from health.services.scorecards import RESCORE_JOB, draft_of
from tests.conftest import Cast
from tests.health.views.measured import DEFINITION, drain, measured_workspace, typed, web

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("time_machine_at_now")]


@pytest.fixture
def card(cast: Cast) -> Scorecard:
    return measured_workspace(cast)


def url(card: Scorecard) -> str:
    return f"/health/scorecards/{card.public_id}/"


def draft(card: Scorecard, cast: Cast) -> ScorecardVersion | None:
    with workspace_scope(cast.workspace.pk):
        return draft_of(card)


def scores(cast: Cast) -> dict[str, float | None]:
    with workspace_scope(cast.workspace.pk):
        return dict(HealthScore.objects.values_list("account__name", "score"))


def words(page: bytes) -> str:
    """The text of a page, without markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.decode()).split())


def test_a_draft_keeps_what_was_typed_with_its_mistakes(cast: Cast, card: Scorecard) -> None:
    ada = web(cast.ada)
    ada.post(url(card), typed(do="draft", m0__red="much", m1__weight="nan", b__green="1e999"))
    page = ada.get(url(card)).content.decode()
    assert 'value="much" aria-invalid="true"' in page
    assert "Enter a number." in page
    assert "You see a draft" in page
    kept = draft(card, cast)
    assert kept is not None
    assert kept.definition["measures"][1]["weight"] == "nan"
    assert scores(cast) == {"Alder": 100.0, "Birch": 75.0}


def test_a_draft_changes_no_number(cast: Cast, card: Scorecard) -> None:
    ada = web(cast.ada)
    ada.post(url(card), typed(do="draft", m0__red="-1234567.125", m0__weight="1000000"))
    page = ada.get(url(card)).content.decode()
    assert 'value="-1234567.125"' in page
    assert 'value="1000000"' in page


def test_looking_is_no_draft(cast: Cast, card: Scorecard) -> None:
    web(cast.ada).post(url(card), typed(do="preview"), headers={"HX-Request": "true"})
    assert draft(card, cast) is None


def test_the_preview_counts_and_shows_the_example(cast: Cast, card: Scorecard) -> None:
    with workspace_scope(cast.workspace.pk):
        birch = HealthScore.objects.get(account__name="Birch").account.public_id
    sent = typed(m0__weight="1", example=str(birch))
    answer = web(cast.ada).post(url(card), sent, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert b"<html" not in answer.content
    text = words(answer.content)
    assert "1 account would change its band" in text
    assert "75.0" in text
    assert "50.0" in text
    assert "Green 2 1 −1" in text
    assert "Yellow 0 1 +1" in text


def test_publishing_puts_it_in_force_and_rescores(cast: Cast, card: Scorecard) -> None:
    ada = web(cast.ada)
    answer = ada.post(url(card), typed(do="publish", m0__weight="1", note="Silence matters"), follow=True)
    assert "Version 2 is in force. Accounts are being rescored." in answer.content.decode()
    assert "Accounts are being rescored with the new version" in answer.content.decode()
    assert Job.objects.filter(kind=RESCORE_JOB, workspace=cast.workspace).count() == 1
    assert scores(cast)["Birch"] == 75.0
    drain()
    assert scores(cast) == {"Alder": 100.0, "Birch": 50.0}
    assert "All accounts are rescored" in ada.get("/health/rescoring/").content.decode()
    with workspace_scope(cast.workspace.pk):
        version = ScorecardVersion.objects.get(number=2)
        entry = AuditEntry.objects.get(action="health.scorecard.published")
        assert (version.published_by, version.note) == (cast.ada, "Silence matters")
        assert (entry.actor_id, entry.object_id) == (cast.ada.pk, version.pk)
        assert draft_of(card) is None


def test_an_invalid_publication_is_refused_beside_the_field(cast: Cast, card: Scorecard) -> None:
    sent = typed(do="publish", m0__green="-5", m1__metric="no_such", b__yellow="90", note="Why I did it")
    answer = web(cast.ada).post(url(card), sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    field = page[page.index('id="m0-green"') :]
    assert "green must be above red" in field[: field.index("</div>")]
    assert "The edge of green must be above the edge of yellow." in page
    assert "Choose a metric from the list." in page
    assert all(f'value="{value}"' in page for value in ("-5", "90", "Why I did it"))
    kept = draft(card, cast)
    assert kept is not None
    assert kept.definition["measures"][0]["green"] == -5
    with workspace_scope(cast.workspace.pk):
        assert not ScorecardVersion.objects.filter(number=2, published_at__isnull=False).exists()
    assert not Job.objects.filter(kind=RESCORE_JOB).exists()


def test_rows_come_and_go_without_javascript(cast: Cast, card: Scorecard) -> None:
    ada = web(cast.ada)

    def press(do: str, **form: str) -> str:
        return ada.post(url(card), typed(do=do, **form), follow=True).content.decode()

    assert 'id="m2-metric"' in press("add_measure")
    assert 'id="e0-metric"' in press("add_exception")
    page = press("drop_measure-0", e0__metric="active_days_28", e0__when="red", e0__cap="49")
    assert 'id="m1-metric"' not in page
    assert 'id="e0-metric"' not in page
    press("drop_measure-²")  # no digit that Python could read: ignored
    kept = draft(card, cast)
    assert kept is not None
    assert len(kept.definition["measures"]) == 2


def test_enter_never_removes_a_row(cast: Cast, card: Scorecard) -> None:
    """A browser presses a form's first button on Enter."""
    page = web(cast.ada).get(url(card)).content.decode()
    form = page[page.index('id="measures"') :]
    button = form[form.index("<button") :]
    assert 'value="draft"' in button[: button.index(">")]


def test_rolling_back_is_a_new_version_and_keeps_the_draft(cast: Cast, card: Scorecard) -> None:
    ada = web(cast.ada)
    ada.post(url(card), typed(do="publish", m0__weight="1"))
    drain()
    ada.post(url(card), typed(do="draft", m0__weight="9"))
    with workspace_scope(cast.workspace.pk):
        first = ScorecardVersion.objects.get(number=1)
    answer = ada.post(f"/health/scorecards/versions/{first.public_id}/rollback/", follow=True)
    assert "Version 1 is in force again, as version 3." in answer.content.decode()
    drain()
    assert scores(cast)["Birch"] == 75.0
    kept = draft(card, cast)
    assert kept is not None
    assert kept.definition["measures"][0]["weight"] == 9
    ada.post(url(card), typed(do="publish", m0__weight="9"))
    with workspace_scope(cast.workspace.pk):
        assert list(ScorecardVersion.objects.order_by("number").values_list("number", flat=True)) == [
            1,
            2,
            3,
            4,
        ]


def test_a_discarded_draft_leaves_what_is_in_force(cast: Cast, card: Scorecard) -> None:
    ada = web(cast.ada)
    ada.post(url(card), typed(do="draft", m0__weight="9"))
    ada.post(f"{url(card)}draft/discard/")
    assert draft(card, cast) is None
    assert 'name="m0-weight" min="0" step="any" value="3"' in ada.get(url(card)).content.decode()


@pytest.mark.parametrize("who", ["ben", "vera"])
def test_others_look_only(cast: Cast, card: Scorecard, who: str) -> None:
    client = web(getattr(cast, who).user)
    page = client.get(url(card)).content.decode()
    assert "disabled" in page
    assert 'value="publish"' not in page
    assert client.post(url(card), typed(do="publish", m0__weight="1")).status_code == 403
    assert client.post(url(card), typed(do="draft", m0__weight="1")).status_code == 403
    with workspace_scope(cast.workspace.pk):
        version = ScorecardVersion.objects.get()
    assert client.post(f"/health/scorecards/versions/{version.public_id}/rollback/").status_code == 403
    assert client.post(f"{url(card)}draft/discard/").status_code == 403
    assert version.definition == DEFINITION
