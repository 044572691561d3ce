"""Signing in, in a real browser: by form and by keyboard, without a complaint of the security policy."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.builders import PASSWORD


def test_sign_in_by_keyboard(page: Page, cast: Any) -> None:
    page.goto("/login/")
    page.get_by_label("Email").fill(cast.ada.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).not_to_have_url("/login/")
    expect(page.get_by_role("main")).to_be_visible()


def test_a_wrong_password_says_so_and_keeps_the_address(page: Page, cast: Any) -> None:
    page.goto("/login/")
    page.get_by_label("Email").fill(cast.ada.email)
    page.get_by_label("Password").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Email")).to_have_value(cast.ada.email)
    expect(page.get_by_text("not correct")).to_be_visible()
