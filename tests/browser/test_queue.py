"""The queue worked with the keyboard only, as a CSM does all day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Account
from cs_platform.lib.scoping import workspace_scope
from health.models import AccountState, QueueEntry, Resolution, Snooze
from tests.builders import queued

NAMES = ["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gum"]


@pytest.fixture
def seven(cast: Any) -> list[Account]:
    """Seven accounts of Ben's, the first with the largest loss."""
    renewal = timezone.now() + timedelta(days=54)
    with workspace_scope(cast.workspace.pk):
        return [
            queued(name, csm=cast.ben, expected_loss_minor=100_000 * (7 - place), renews_at=renewal)
            for place, name in enumerate(NAMES)
        ]


@pytest.fixture
def queue(page: Page, cast: Any, seven: list[Account], sign_in: Any) -> Page:
    sign_in(page, cast.ben.user)
    page.goto("/queue/")
    return page


def left(page: Page) -> list[str]:
    return page.locator("[data-row] .row-link").all_inner_texts()


def test_five_accounts_are_triaged_without_the_mouse(queue: Page, cast: Any) -> None:
    press = queue.keyboard.press
    # 1: open Alder in the drawer, read why, resolve it as helped.
    press("j")
    press("o")
    drawer = queue.locator("#drawer")
    expect(drawer.get_by_role("heading", name="Alder")).to_be_visible()
    expect(drawer.get_by_text("Nobody has used the product for 19 days.")).to_be_visible()
    press("e")
    expect(queue.locator("#dialog").get_by_role("heading", name="Resolve Alder")).to_be_visible()
    press("Enter")
    expect(queue.get_by_text("Alder resolved: Helped.")).to_be_visible()
    expect(queue.locator("[data-row]")).to_have_count(6)
    expect(queue.locator("dialog[open]")).to_have_count(0)
    # 2: the row that moved up is the current one: snooze Birch until next Monday.
    expect(queue.locator(".is-current .row-link")).to_have_text("Birch")
    press("s")
    expect(queue.locator("#dialog").get_by_role("heading", name="Snooze Birch")).to_be_visible()
    press("ArrowDown")
    press("Enter")
    expect(queue.get_by_text("Birch snoozed until")).to_be_visible()
    expect(queue.locator("[data-row]")).to_have_count(5)
    # 3 and 4: tick two rows, resolve them together as not needed.
    press("x")
    press("j")
    press("x")
    expect(queue.locator("[data-bulk-count]")).to_have_text("2")
    press("e")
    expect(queue.locator("#dialog").get_by_role("heading", name="Resolve 2 accounts")).to_be_visible()
    press("ArrowDown")
    press("ArrowDown")
    press("Enter")
    expect(queue.get_by_text("2 accounts resolved: Not needed.")).to_be_visible()
    expect(queue.locator("[data-row]")).to_have_count(3)
    # 5: hand the next one to nobody.
    press("k")
    press("a")
    expect(queue.locator("#dialog").get_by_role("heading", name="Assign")).to_be_visible()
    while queue.locator("#dialog").get_by_label("Nobody").is_checked() is False:
        press("ArrowUp")
    press("Enter")
    expect(queue.get_by_text("has no CSM now.")).to_be_visible()
    expect(queue.locator("[data-row]")).to_have_count(2)
    expect(queue.locator("#queue-lede")).to_contain_text("2 accounts")
    with workspace_scope(cast.workspace.pk):
        results = sorted(Resolution.objects.values_list("result", flat=True))
        assert results == ["helped", "not_needed", "not_needed"]
        assert Snooze.objects.count() == 1
        assert QueueEntry.objects.filter(csm=cast.ben, snoozed_until__isnull=True).count() == 2


def test_undo_from_the_toast(queue: Page, cast: Any) -> None:
    queue.keyboard.press("j")
    queue.keyboard.press("e")
    queue.locator("#dialog").get_by_role("button", name="Resolve").click()
    queue.get_by_role("button", name="Undo").click()
    expect(queue.get_by_text("Everything is as it was before.")).to_be_visible()
    assert left(queue) == NAMES


def test_escape_leads_back_to_the_row(queue: Page) -> None:
    queue.keyboard.press("j")
    queue.keyboard.press("j")
    queue.keyboard.press("o")
    expect(queue.locator("#drawer")).to_be_visible()
    queue.keyboard.press("Escape")
    expect(queue.locator("#drawer")).to_be_hidden()
    queue.keyboard.press("j")
    expect(queue.locator(".is-current .row-link")).to_have_text("Cedar")


def test_a_mistake_comes_back_into_the_dialog(queue: Page, complaints: Any) -> None:
    complaints.expect("422")
    queue.keyboard.press("j")
    queue.keyboard.press("s")
    dialog = queue.locator("#dialog")
    dialog.get_by_label("Or on another day").fill("2020-01-01")
    dialog.get_by_role("button", name="Snooze").click()
    expect(dialog.get_by_text("Choose a day after today")).to_be_visible()
    assert left(queue) == NAMES


def test_slash_searches_and_filters_stay(queue: Page) -> None:
    queue.keyboard.press("/")
    queue.keyboard.type("ced")
    queue.keyboard.press("Enter")
    expect(queue.locator("[data-row]")).to_have_count(1)
    assert left(queue) == ["Cedar"]


def test_without_javascript(new_context: Any, cast: Any, seven: list[Account], sign_in: Any) -> None:
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page, cast.ben.user)
    page.goto("/queue/")
    page.get_by_role("checkbox", name="Alder").check()
    page.get_by_role("checkbox", name="Birch").check()
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("heading", name="Resolve 2 accounts")).to_be_visible()
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("2 accounts resolved: Helped.")).to_be_visible()
    expect(page.locator("[data-row]")).to_have_count(5)


def test_on_a_phone_nothing_sticks_out(phone: Page, cast: Any, seven: list[Account], sign_in: Any) -> None:
    sign_in(phone, cast.ben.user)
    for path in (
        "/queue/",
        f"/queue/{seven[0].public_id}/",
        f"/accounts/{seven[0].public_id}/",
        "/accounts/",
        "/",
    ):
        phone.goto(path)
        wide = phone.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, path


def test_the_account_page_shows_its_parts(queue: Page, cast: Any, seven: list[Account]) -> None:
    with workspace_scope(cast.workspace.pk):
        assert AccountState.objects.count() == 7
    queue.goto(f"/accounts/{seven[0].public_id}/")
    for heading in (
        "Why it needs someone",
        "Health score",
        "Health score, 180 days",
        "Timeline",
        "People",
        "Tickets",
    ):
        expect(queue.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    queue.keyboard.press("n")
    expect(queue.locator("#dialog").get_by_role("heading", name="Write a note")).to_be_visible()
    queue.keyboard.type("Buyer is on leave")
    queue.locator("#dialog").get_by_role("button", name="Save").click()
    expect(queue.get_by_text("Buyer is on leave")).to_be_visible()
