"""Pages of the daily work pass axe, in both themes, with their overlays open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Account
from cs_platform.lib.scoping import workspace_scope
from tests.browser.axe import violations
from tests.builders import make_contact, make_subscription, queued

pytestmark = pytest.mark.parametrize("theme", ["light", "dark"])


@pytest.fixture
def account(cast: Any) -> Account:
    with workspace_scope(cast.workspace.pk):
        account = queued("Alder", csm=cast.ben)
        queued("Birch", csm=cast.ben, health_band="yellow", health_score=61, expected_loss_minor=100)
        make_contact(account, is_champion=True)
        make_subscription(account)
        return account


@pytest.fixture
def themed(new_context: Callable[..., Any], cast: Any, account: Account, sign_in: Any, theme: str) -> Page:
    page: Page = new_context(color_scheme=theme, reduced_motion="reduce").new_page()
    sign_in(page, cast.ben.user)
    return page


@pytest.mark.parametrize("path", ["/", "/queue/", "/accounts/", "/search/?q=al"])
def test_pages(themed: Page, path: str) -> None:
    themed.goto(path)
    assert violations(themed) == []


def test_account_page(themed: Page, account: Account) -> None:
    themed.goto(f"/accounts/{account.public_id}/")
    assert violations(themed) == []


def test_drawer_and_dialogs(themed: Page) -> None:
    themed.goto("/queue/")
    themed.keyboard.press("j")
    themed.keyboard.press("o")
    expect(themed.locator("#drawer").get_by_role("heading", name="Alder")).to_be_visible()
    assert violations(themed) == []
    for key in "esa":
        themed.keyboard.press(key)
        expect(themed.locator("#dialog").get_by_role("heading", name="Alder")).to_be_visible()
        assert violations(themed) == []
        themed.keyboard.press("Escape")
        expect(themed.locator("#dialog")).to_be_hidden()
