"""The design page in Chromium: accessible in both themes and widths, quiet under the policy, usable by keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

Theme = Literal["light", "dark"]
AXE = next((Path(__file__).parent / "vendor").glob("axe-core-*/axe.min.js"))
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.urls("tests.frontend.urls"),
]


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    return chromium


@pytest.fixture
def page(browser: Browser, live_server: Any) -> Iterator[Page]:
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto("/design/")
    opened.wait_for_selector("html[data-js]")
    yield opened
    context.close()
    assert complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(browser: Browser, live_server: Any, theme: Theme, width: int) -> None:
    # axe is injected as a script element, which the policy rightly refuses: only this look goes around it.
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        bypass_csp=True,
    )
    opened = context.new_page()
    opened.goto("/design/")
    opened.wait_for_selector(".main-svg")
    opened.add_script_tag(path=str(AXE))
    found = opened.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)["violations"]
    overflow = opened.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    context.close()

    assert [(item["id"], item["nodes"][0]["html"]) for item in found] == []
    assert overflow <= 0


def test_page_draws_its_chart_under_the_policy(page: Page) -> None:
    expect(page.locator(".main-svg").first).to_be_visible()


def test_keys_move_select_and_open(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("[data-row].is-current")).to_have_attribute("id", "row-2")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("1")
    expect(page.locator(".bulkbar")).to_be_visible()
    page.keyboard.press("o")
    expect(page.locator("#design-drawer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#row-2 .row-link")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()


def test_question_mark_shows_the_keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#keyboard-help")).to_be_visible()


def test_palette_finds_and_opens(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("north")
    expect(page.locator("#palette-results a")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/design/?found")


def test_drawer_loads_an_address_and_gives_focus_back(page: Page) -> None:
    link = page.locator("#row-1 .row-link")
    link.evaluate(
        "link => { link.removeAttribute('data-open'); link.setAttribute('data-drawer', '/drawer/') }"
    )
    link.click()
    expect(page.locator("#drawer h2")).to_be_focused()
    page.locator("#drawer [data-close]").click()
    expect(link).to_be_focused()


def test_theme_is_remembered(page: Page) -> None:
    page.evaluate("document.cookie = 'theme=dark; path=/'")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_weights_stay_normalised(page: Page) -> None:
    page.locator("#w-support").fill("120")
    expect(page.locator(".weight", has=page.locator("#w-support")).locator("[data-share]")).to_have_text(
        "60%"
    )


def test_value_axis_title_lies_flat(page: Page) -> None:
    title = page.locator(".annotation-text", has_text="Score, 0–100")
    expect(title).to_be_visible()
    box = title.bounding_box()
    assert box is not None
    assert box["width"] > box["height"]


def test_paper_is_light_whatever_the_screen(browser: Browser, live_server: Any) -> None:
    context = browser.new_context(base_url=live_server.url, color_scheme="dark")
    opened = context.new_page()
    opened.goto("/design/")
    opened.emulate_media(media="print")
    ground, rail = opened.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('.rail')).display]"
    )
    context.close()

    assert ground == "oklch(1 0 0)"
    assert rail == "none"


def test_dialog_begins_at_its_first_field(page: Page) -> None:
    page.locator("[data-open='design-dialog']").click()
    expect(page.locator("#design-dialog h2")).to_be_focused()
    page.keyboard.press("Escape")
    page.evaluate(
        "document.querySelector('#design-dialog .dialog-body').insertAdjacentHTML('beforeend', '<input name=x>')"
    )
    page.locator("[data-open='design-dialog']").click()
    expect(page.locator("#design-dialog input")).to_be_focused()
