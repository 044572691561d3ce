"""The scorecard editor in a browser: the effect follows the fingers, and publishing can be taken back."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.services.jobs import run_due_jobs
from cs_platform.lib.scoping import workspace_scope
from health.models import HealthScore, Scorecard
from tests.browser.conftest import Complaints
from tests.health.views.measured import measured_workspace


@pytest.fixture(autouse=True)
def _broken_off(complaints: Complaints) -> None:
    """Typing on, or leaving the page, breaks off the preview under way; htmx logs that as an error."""
    for name in ("htmx:afterRequest", "htmx:sendAbort", "htmx:sendError"):
        complaints.expect(name)


@pytest.fixture
def card(cast: Any) -> Scorecard:
    return measured_workspace(cast)


@pytest.fixture
def editor(page: Page, cast: Any, card: Scorecard, sign_in: Any) -> Page:
    sign_in(page, cast.ada)
    page.goto(f"/health/scorecards/{card.public_id}/")
    return page


def scores(cast: Any) -> dict[str, float | None]:
    with workspace_scope(cast.workspace.pk):
        return dict(HealthScore.objects.values_list("account__name", "score"))


def test_a_weight_moves_shares_and_preview_and_keeps_the_focus(editor: Page, cast: Any) -> None:
    shares = editor.locator("[data-share]")
    expect(shares).to_have_text(["75%", "25%"])
    effect = editor.locator("#scorecard-effect")
    expect(effect).to_contain_text("0 accounts would change their band.")
    weight = editor.locator("#m0-weight")
    weight.fill("1")
    expect(shares).to_have_text(["50%", "50%"])
    expect(effect).to_contain_text("1 account would change its band.")
    expect(weight).to_be_focused()
    assert scores(cast)["Birch"] == 75.0


def test_the_slider_moves_the_number(editor: Page) -> None:
    editor.locator("#measure-0 input[type=range]").fill("1")
    expect(editor.locator("#m0-weight")).to_have_value("1")
    expect(editor.locator("#scorecard-effect")).to_contain_text("1 account would change its band.")


def test_another_example_is_shown_at_once(editor: Page) -> None:
    effect = editor.locator("#scorecard-effect")
    for name in ("Birch", "Alder"):
        editor.get_by_label("Example account").select_option(label=name)
        expect(effect.get_by_role("heading", name=name)).to_be_visible()


def test_publish_and_undo(editor: Page, cast: Any) -> None:
    editor.locator("#m0-weight").fill("1")
    editor.get_by_label("What changed, and why").fill("Silence matters")
    editor.get_by_role("button", name="Publish").click()
    expect(editor.get_by_text("Version 2 is in force. Accounts are being rescored.")).to_be_visible()
    run_due_jobs(limit=10)
    expect(editor.get_by_text("All accounts are rescored.")).to_be_visible()
    assert scores(cast)["Birch"] == 50.0
    editor.get_by_role("button", name="Undo").click()
    expect(editor.get_by_text("Version 1 is in force again, as version 3.")).to_be_visible()
    run_due_jobs(limit=10)
    expect(editor.get_by_text("All accounts are rescored.")).to_be_visible()
    assert scores(cast)["Birch"] == 75.0


def test_enter_in_a_field_removes_nothing(editor: Page) -> None:
    editor.locator("#m0-red").press("Enter")
    expect(editor.get_by_text("Nothing changes for anybody until you publish it.")).to_be_visible()
    expect(editor.locator("[id^=measure-]")).to_have_count(2)


def test_it_fits_a_phone(phone: Page, cast: Any, card: Scorecard, sign_in: Any) -> None:
    sign_in(phone, cast.ada)
    phone.goto(f"/health/scorecards/{card.public_id}/")
    expect(phone.get_by_role("button", name="Publish")).to_be_attached()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
