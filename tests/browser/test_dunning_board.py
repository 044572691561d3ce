"""The board of failed payments worked with the keyboard: many at once, one by one, undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from cs_platform.lib.scoping import workspace_scope
from dunning.models import DunningCase
from tests.browser.axe import violations
from tests.builders import make_account
from tests.dunning.builders import make_case

NAMES = ["Alder", "Birch", "Cedar", "Dogwood"]


@pytest.fixture
def board(page: Page, cast: Any, sign_in: Any) -> Page:
    """Four open cases, the youngest first."""
    now = timezone.now()
    with workspace_scope(cast.workspace.pk):
        for place, name in enumerate(NAMES):
            account = make_account(name, csm=cast.ben)
            make_case(account, place, failed_at=now - timedelta(days=1 + place))
    sign_in(page, cast.ben.user)
    page.goto("/dunning/")
    return page


def stopped(cast: Any) -> set[str]:
    with workspace_scope(cast.workspace.pk):
        rows = DunningCase.objects.filter(stopped_at__isnull=False)
        return set(rows.values_list("account__name", flat=True))


def test_cases_are_worked_without_the_mouse(board: Page, cast: Any) -> None:
    press = board.keyboard.press
    # Two ticked ones are stopped together: the form says how many and for how much.
    for key in ("j", "x", "j", "x", "t"):
        press(key)
    dialog = board.locator("#dialog")
    expect(dialog.get_by_role("heading", name="Stop collecting 2 payments")).to_be_visible()
    expect(dialog.get_by_text("2 cases can be stopped, $200.")).to_be_visible()
    assert violations(board) == []
    board.keyboard.type("They asked for time.")
    dialog.get_by_role("button", name="Stop").press("Enter")
    expect(board.get_by_text("2 cases stopped.")).to_be_visible()
    expect(board.locator("dialog[open]")).to_have_count(0)
    assert stopped(cast) == {"Alder", "Birch"}
    # And taken back from the toast.
    board.get_by_role("button", name="Undo").click()
    expect(board.get_by_text("Undone in 2 cases.")).to_be_visible()
    assert stopped(cast) == set()
    # One by one, in the drawer and from the row, which offers what can be done without a provider.
    press("j")
    press("o")
    drawer = board.locator("#drawer")
    expect(drawer.get_by_role("heading", name="Alder")).to_be_visible()
    assert violations(board) == []
    press("h")
    expect(dialog.get_by_role("heading", name="Hand Alder to the CSM")).to_be_visible()
    dialog.get_by_role("button", name="Hand over").press("Enter")
    expect(board.get_by_text("Alder: in the queue now.")).to_be_visible()
    expect(board.locator("[data-row]").first.get_by_text("With a person")).to_be_visible()
    press("j")
    press("m")
    expect(dialog.get_by_role("heading", name="Mark the invoice of Birch as paid")).to_be_visible()
    dialog.get_by_role("button", name="Mark as paid").press("Enter")
    expect(board.get_by_role("link", name="Birch")).to_have_count(0)
