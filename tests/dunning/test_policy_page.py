"""The policy editor: nothing typed is lost, the past is replayed before publishing, everything can be taken back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Invoice, PaymentAttempt
from cs_platform.lib.scoping import workspace_scope
from dunning.forms.policy import PolicyForm
from dunning.models import DunningPolicyVersion
from dunning.policy.classes import DeclineClass
from dunning.policy.code_table import DECLINE_RULES
from dunning.policy.definition import PolicyDefinition
from dunning.services import policies
from tests.accounts.web import web
from tests.builders import make_account
from tests.conftest import Cast
from tests.counting import data_queries

pytestmark = pytest.mark.django_db
URL = "/dunning/policy/"
DAY = timedelta(days=1)


def typed(definition: dict[str, Any] | None = None, **changes: str) -> dict[str, Any]:
    """What the browser posts for a definition, with these fields typed over ("rules.x.y" as "rules__x__y")."""
    form = PolicyForm.of_definition(definition or {}, currency="USD")
    data: dict[str, Any] = {name: value for name, value in form.values.items() if value}
    data |= {f"code.{code}": name for code, name in form.codes.items() if not DECLINE_RULES[code].is_fixed}
    data |= {
        "pay_place": [row.place for row in form.pay_days],
        "pay_days": [row.days for row in form.pay_days],
    }
    return data | {name.replace("__", "."): value for name, value in changes.items()}


def fail(name: str, code: str, *, ago: int, paid_after: int | None = None, tries: int = 1) -> Invoice:
    """An invoice that failed `ago` days ago, tried daily, paid some days after or not yet."""
    at = timezone.now() - ago * DAY
    account = make_account(name, country="KR")
    invoice = Invoice.objects.create(
        account=account,
        external_id=f"in_{name}",
        amount_minor=4_900,
        currency="USD",
        status="open" if paid_after is None else "paid",
        due_at=at,
        paid_at=None if paid_after is None else at + paid_after * DAY,
    )
    for number in range(tries):
        PaymentAttempt.objects.create(
            invoice=invoice,
            account=account,
            number=number + 1,
            attempted_at=at + number * DAY,
            status="failed",
            decline_code=code,
        )
    return invoice


@pytest.fixture
def failures(cast: Cast) -> None:
    with workspace_scope(cast.workspace.pk):
        fail("Alder", "insufficient_funds", ago=40)
        fail("Birch", "lost_card", ago=35)
        fail("Cedar", "do_not_honor", ago=30, paid_after=1)
        fail("Old", "do_not_honor", ago=100)


def in_force(cast: Cast) -> PolicyDefinition:
    with workspace_scope(cast.workspace.pk):
        return policies.definition_of(policies.version_in_force())


def words(page: bytes) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page.decode()).split())


def test_a_workspace_begins_with_the_defaults_in_force(cast: Cast) -> None:
    assert in_force(cast) == PolicyDefinition.defaults()
    page = words(web(cast.vera.user).get(URL).content)
    assert "Version 1 is in force" in page
    assert "Default: 8." in page and "Default: 4, 12, 24 hours." in page
    assert "Changed." not in page


def test_what_the_page_posts_is_what_it_showed(cast: Cast) -> None:
    assert PolicyForm.of_definition({}, currency="USD").definition() == PolicyDefinition.defaults().to_json()
    ada = web(cast.ada)
    ada.post(URL, typed(do="draft"))
    with workspace_scope(cast.workspace.pk):
        assert policies.draft_of(policies.the_policy()) is None


def test_publishing_puts_it_in_force_and_undo_takes_it_back(cast: Cast, failures: None) -> None:
    ada = web(cast.ada)
    changed = typed(do="publish", attempts="5", note="Fewer tries", code__do_not_honor="hard_network")
    changed |= {"handoff_arr_minor": "5,000", "end_state": "pause"}
    page = ada.post(URL, changed, follow=True)
    found = in_force(cast)
    assert (found.attempts, found.handoff_arr_minor, found.end_state) == (5, 500_000, "pause")
    assert found.code_classes == {"do_not_honor": DeclineClass.HARD_NETWORK}
    assert words(page.content).count("Changed.") == 4
    assert "Changed. Default: 8." in words(page.content)
    undo = re.search(rb"/dunning/policy/versions/[0-9a-f-]+/rollback/", page.content)
    assert undo is not None
    ada.post(undo.group().decode())
    assert in_force(cast) == PolicyDefinition.defaults()
    with workspace_scope(cast.workspace.pk):
        assert AuditEntry.objects.filter(action="dunning.dunningpolicy.rolled_back").count() == 1
        assert list(DunningPolicyVersion.objects.order_by("number").values_list("number", flat=True)) == [
            1,
            2,
            3,
        ]


def test_mistakes_publish_nothing_and_lose_nothing(cast: Cast) -> None:
    ada = web(cast.ada)
    wrong = typed(
        do="publish",
        attempts="many",
        technical_wait_hours="4, soon",
        handoff_arr_minor="a lot",
        rules__soft_funds__wait_hours="-3",
        code__call_issuer="made_up",
        end_state="sue",
    )
    wrong["pay_place"], wrong["pay_days"] = ["*", "Korea"], ["1, 40", "10"]
    page = ada.post(URL, wrong)
    assert page.status_code == 422
    text = page.content.decode()
    for kept in ("many", "4, soon", "a lot", "-3", "Korea", "1, 40"):
        assert f'value="{kept}"' in text
    assert in_force(cast) == PolicyDefinition.defaults()
    again = ada.get(URL).content.decode()
    assert 'value="4, soon"' in again
    assert "You see a draft" in again
    for sentence in ("Enter a whole number.", "Enter an amount.", "Choose one of the list.", "two letters"):
        assert sentence in words(page.content)


@pytest.mark.parametrize(
    ("field", "typed_as", "sentence"),
    [
        ("attempts", "999", "Card networks allow 15 tries of an invoice in 30 days."),
        ("attempts", "0", "Card networks allow 15 tries"),
        ("attempts", "15", ""),
        ("attempts", "", "Enter a whole number."),
        ("attempts", "2.5", "Enter a whole number."),
        ("window_days", "-3", "Enter a number from 1 to 30."),
        ("hour_until", "6", "The hours must end after they begin."),
        ("technical_wait_hours", "4, , 12", ""),
        ("technical_wait_hours", "", "Enter at least one number."),
        ("technical_wait_hours", "4 12", "Enter a whole number."),
        ("technical_wait_hours", "12, 4", "The smallest number first"),
        ("silent_days", "9", "The first notice must come before the last one"),
        ("duration_days", "999", "Enter a number from 7 to 90."),
        ("annual_reminder_days", "3", "15 to 45 days before"),
        ("rules__soft_funds__most_retries", "99", "Enter a number from 1 to 15."),
        ("holdout_percent", "2", "at least 5 %"),
    ],
)
def test_each_wrong_input_has_its_sentence_and_stays(
    cast: Cast, field: str, typed_as: str, sentence: str
) -> None:
    changed = typed(do="publish", **{"duration_days": "12", "handoff_days": "5", field: typed_as})
    page = web(cast.ada).post(URL, changed, follow=True)
    assert page.status_code == (422 if sentence else 200)
    assert sentence in words(page.content)
    if typed_as and sentence:
        assert f'value="{typed_as}"' in page.content.decode()
    assert (in_force(cast) == PolicyDefinition.defaults()) == bool(sentence)


def test_a_country_that_stands_there_twice_loses_neither_row(cast: Cast) -> None:
    twice = typed(do="publish") | {"pay_place": ["*", "DE", "de", "QQ"], "pay_days": ["1", "15", "20", "3"]}
    page = web(cast.ada).post(URL, twice)
    assert page.status_code == 422
    assert "This country stands here twice." in words(page.content)
    assert "Name a country by its two letters." in words(page.content)
    again = web(cast.ada).get(URL).content.decode()
    assert all(f'value="{kept}"' in again for kept in ("DE", "de", "15", "20", "QQ"))


def test_nobody_makes_a_refusal_for_good_retryable(cast: Cast) -> None:
    sneaky = typed(do="publish", code__lost_card="soft_funds", rules__hard_network__is_retried="on")
    page = web(cast.ada).post(URL, sneaky)
    assert page.status_code == 422
    assert in_force(cast) == PolicyDefinition.defaults()


def test_the_past_is_replayed_before_publishing(cast: Cast, failures: None) -> None:
    ada = web(cast.ada)
    page = words(ada.get(URL).content)
    assert "All 3 failed payments would have gone the same way." in page
    effect = ada.post(
        URL,
        typed(do="preview", rules__soft_funds__notice="at_once", attempts="3"),
        headers={"HX-Request": "true"},
    )
    text = words(effect.content)
    assert "of 3 failed payments would have gone another way" in text
    assert "Tries at most before 8 after 3" in text
    assert "Alder" in text
    assert (
        'id="attempts_said" hx-swap-oob="true"' in effect.content.decode() and "Changed. Default: 8." in text
    )
    assert "<form" not in effect.content.decode()
    assert "Birch" not in text


def test_a_viewer_and_a_csm_see_it_and_change_nothing(cast: Cast) -> None:
    for user in (cast.vera.user, cast.ben.user):
        client = web(user)
        assert "<fieldset" in client.get(URL).content.decode()
        assert client.post(URL, typed(do="publish", attempts="5")).status_code == 403
    assert in_force(cast) == PolicyDefinition.defaults()


def test_a_draft_can_be_thrown_away(cast: Cast) -> None:
    ada = web(cast.ada)
    ada.post(URL, typed(do="draft", attempts="5"))
    page = ada.get(URL).content.decode()
    discard = re.search(r"/dunning/policy/[0-9a-f-]+/discard/", page)
    assert discard is not None
    ada.post(discard.group())
    assert "You see a draft" not in ada.get(URL).content.decode()


def test_the_page_asks_little_however_many_failures(cast: Cast, failures: None) -> None:
    ada = web(cast.ada)
    ada.get(URL)
    with CaptureQueriesContext(connection) as few:
        ada.get(URL)
    with workspace_scope(cast.workspace.pk):
        for number in range(12):
            fail(f"More {number}", "insufficient_funds", ago=20, tries=3)
    with CaptureQueriesContext(connection) as many:
        ada.get(URL)
    assert len(data_queries(many)) == len(data_queries(few)) <= 30
