"""Two people at one policy, what each version changed, and cases that keep the version they began with."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Role
from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase, DunningPolicyVersion
from dunning.policy.definition import PolicyDefinition
from dunning.services import policies
from dunning.services.case_steps import open_book
from dunning.services.case_work import look_at_case
from dunning.services.cases import open_case
from dunning.services.collecting import start_collecting
from tests.accounts.web import web
from tests.builders import join
from tests.conftest import Cast
from tests.dunning.test_policy_page import URL, fail, in_force, typed, words

pytestmark = pytest.mark.django_db
LIVE = {"HX-Request": "true"}


@pytest.fixture
def abe(cast: Cast) -> Any:
    """A second admin."""
    return join(cast.workspace, "Abe", Role.ADMIN).user


def seen(page: bytes) -> str:
    found = re.search(rb'id="policy-seen"[^>]* value="([^"]*)"', page)
    assert found is not None
    return found.group(1).decode()


def theirs(page: bytes) -> str:
    found = re.search(rb'name="theirs"[^>]* value="([^"]*)"', page)
    assert found is not None
    return found.group(1).decode()


def draft(cast: Cast) -> dict[str, Any] | None:
    with workspace_scope(cast.workspace.pk):
        found = policies.draft_of(policies.the_policy())
        return None if found is None else dict(found.definition)


def test_the_second_draft_does_not_silently_replace_the_first(cast: Cast, abe: Any) -> None:
    ada, other = web(cast.ada), web(abe)
    opened, also = seen(ada.get(URL).content), seen(other.get(URL).content)
    ada.post(URL, typed(do="draft", attempts="5", seen=opened))
    live = other.post(URL, typed(do="preview", attempts="6", seen=also), headers=LIVE)
    assert "Ada saved another draft while you were typing." in words(live.content)
    page = other.post(URL, typed(do="draft", attempts="6", seen=also))
    assert page.status_code == 409
    assert "Tries at most before 5 after 6" in words(page.content)
    assert 'name="attempts"' in page.content.decode() and 'value="6"' in page.content.decode()
    for act in ("draft", "publish", "preview"):  # the page that says so overwrites nothing by itself
        other.post(URL, typed(do=act, attempts="6", seen=seen(page.content)))
    assert draft(cast) is not None and draft(cast)["attempts"] == 5  # type: ignore[index]
    kept = typed(do="overwrite", attempts="6", seen=seen(page.content), theirs=theirs(page.content))
    assert other.post(URL, kept).status_code == 302
    assert draft(cast)["attempts"] == 6  # type: ignore[index]
    assert "last changed by Abe" in words(ada.get(URL).content)


def test_what_somebody_published_meanwhile_is_not_undone_unseen(cast: Cast, abe: Any) -> None:
    ada, other = web(cast.ada), web(abe)
    also = seen(other.get(URL).content)
    ada.post(URL, typed(do="publish", attempts="5", seen=seen(ada.get(URL).content)))
    page = other.post(URL, typed(do="publish", silent_days="2", seen=also))
    assert page.status_code == 409
    assert "Ada published version 2 while you were typing." in words(page.content)
    assert (in_force(cast).attempts, in_force(cast).silent_days) == (5, 3)
    # Theirs changed once more before the button was pressed: that was not seen either.
    shown = theirs(page.content)
    ada.post(URL, typed(do="publish", attempts="4", seen=seen(ada.get(URL).content)))
    again = other.post(URL, typed(do="overwrite", silent_days="2", seen=also, theirs=shown))
    assert again.status_code == 409 and draft(cast) is None


def test_one_is_never_in_ones_own_way(cast: Cast) -> None:
    """The live part saves while one types; an answer that never came back must not look like somebody else."""
    ada = web(cast.ada)
    opened = seen(ada.get(URL).content)
    first = ada.post(URL, typed(do="preview", attempts="5", seen=opened), headers=LIVE)
    assert seen(first.content) != opened
    assert "while you were typing" not in words(first.content)
    late = ada.post(URL, typed(do="preview", attempts="6", seen=opened), headers=LIVE)
    assert "while you were typing" not in words(late.content)
    ada.post(URL, typed(do="publish", attempts="6", seen=opened))
    assert in_force(cast).attempts == 6


def test_a_draft_that_changed_meanwhile_is_not_thrown_away(cast: Cast, abe: Any) -> None:
    ada, other = web(cast.ada), web(abe)
    ada.post(URL, typed(do="draft", attempts="5"))
    page = other.get(URL).content.decode()
    discard = re.search(r'action="([^"]*/discard/)".*?name="seen" value="([^"]*)"', page, re.S)
    assert discard is not None
    ada.post(URL, typed(do="draft", attempts="4"))
    told = other.post(discard.group(1), {"seen": discard.group(2)}, follow=True)
    assert "The draft was changed meanwhile" in words(told.content)
    assert draft(cast)["attempts"] == 4  # type: ignore[index]


def test_each_version_says_who_when_and_what_changed(cast: Cast) -> None:
    ada = web(cast.ada)
    ada.post(URL, typed(do="publish", attempts="5", note="Fewer tries"))
    ada.post(URL, typed({"attempts": 5}, do="publish", end_state="pause", code__call_issuer="soft_funds"))
    with workspace_scope(cast.workspace.pk):
        old = DunningPolicyVersion.objects.get(number=1)
    ada.post(f"/dunning/policy/versions/{old.public_id}/rollback/")
    page = web(cast.vera.user).get(URL).content.decode()
    versions = words(page[page.index("<h2>Versions</h2>") :].encode())
    newest, third, second, first = re.split(r"Version \d(?= (?:in force|Version|just|\d|a|now))", versions)[
        1:5
    ]
    assert "Same as version 1" in newest and "before Pause the subscription after Leave it past due" in newest
    assert "2 changes" in third and "call_issuer" in third and "Ada" in third
    assert "Fewer tries" in second and "Tries at most before 8 after 5" in second
    assert "What the workspace began with." in first


def test_an_older_version_can_be_looked_at_before_rolling_back_and_undone(cast: Cast) -> None:
    ada = web(cast.ada)
    ada.post(URL, typed(do="publish", attempts="5"))
    ada.post(URL, typed({"attempts": 5}, do="draft", attempts="4"))
    page = ada.get(f"{URL}?version=1").content
    assert "You look at version 1 ; version 2 is in force." in words(page)
    assert "What rolling back would change" in words(page)
    assert "Tries at most before 5 after 8" in words(page)
    assert 'name="do" value="publish"' not in page.decode() and "Roll back" in words(page)
    looked = words(web(cast.vera.user).get(f"{URL}?version=1").content)
    assert "You look at version 1" in looked and "Roll back" not in looked
    assert [ada.get(f"{URL}?version={none}").status_code for none in ("3", "9", "x", "-1", "٣")] == [404] * 5
    with workspace_scope(cast.workspace.pk):
        old = DunningPolicyVersion.objects.get(number=1)
    told = ada.post(f"/dunning/policy/versions/{old.public_id}/rollback/", follow=True).content
    assert in_force(cast).attempts == 8
    undo = re.search(rb"/dunning/policy/versions/[0-9a-f-]+/rollback/", told)
    assert undo is not None
    ada.post(undo.group().decode())
    assert in_force(cast).attempts == 5 and draft(cast)["attempts"] == 4  # type: ignore[index]


def test_a_running_case_keeps_the_version_it_began_with(cast: Cast) -> None:
    now = timezone.now()
    with workspace_scope(cast.workspace.pk):
        start_collecting(with_waiting=True, acting_user=cast.ada, now=now)
        before = open_case(fail("Alder", "insufficient_funds", ago=1), now=now)
        assert before is not None
    web(cast.ada).post(URL, typed(do="publish", attempts="2", duration_days="20"))
    with workspace_scope(cast.workspace.pk):
        look_at_case(before.pk, now=now + timedelta(minutes=1))
        book = open_book(before.pk)
        assert book is not None
        assert (book.case.policy_version.number, book.policy) == (1, PolicyDefinition.defaults())
        assert book.state.ends_at == before.ends_at > now + timedelta(days=20)
        after = open_case(fail("Birch", "insufficient_funds", ago=1), now=now)
        assert after is not None
        assert after.policy_version.number == 2 and after.ends_at < now + timedelta(days=20)
    with workspace_scope(cast.workspace.pk):
        assert DunningCase.objects.get(pk=before.pk).policy_version.number == 1


def test_a_case_too_short_for_the_notices_is_said_before_publishing(cast: Cast) -> None:
    ada = web(cast.ada)
    assert "has no room" not in words(ada.get(URL).content)
    short = typed(do="preview", duration_days="12", handoff_days="5")
    told = words(ada.post(URL, short, headers=LIVE).content)
    assert "A case of 12 days has no room for one of the middle notices" in told


def test_what_goes_before_the_table_stands_there_with_its_source(cast: Cast) -> None:
    page = words(web(cast.vera.user).get(URL).content)
    for told in (
        "do_not_try_again",
        "03, 21",
        "24, 25, 26, 02, 27, 28, 29, 30",
        "192, 240 hours",
        "R0, R1, R3",
        "15 tries of one card",
        "IN",
    ):
        assert told in page
    assert "Visa Core Rules of 2026-04-18" in page
