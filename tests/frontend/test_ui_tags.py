"""Template tags: what a reader sees for money, numbers, dates, bands and series."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from accounts.templatetags import ui
from cs_platform.lib import formats

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def render(source: str, **context: object) -> str:
    return Template("{% load ui %}" + source).render(Context({"now": NOW, **context}))


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (123456, "USD", "$1,234.56"),
        (120000, "USD", "$1,200"),
        (1200, "KRW", "₩1,200"),
        (-505, "EUR", "−€5.05"),
        (1500, "KWD", "KWD\u00a01.500"),
        (None, "USD", "–"),
    ],
)
def test_money(amount: int | None, currency: str, text: str) -> None:
    assert formats.money(amount, currency) == text


@pytest.mark.parametrize(
    ("language", "amount", "text"),
    [
        ("en", 1_234_500, "$12.3k"),
        ("en", 99_900, "$999"),
        ("en", 450_000_000, "$4.5M"),
        ("ko", 1_234_500, "$1.2만"),
    ],
)
def test_money_short(language: str, amount: int, text: str) -> None:
    with translation.override(language):
        assert formats.money_short(amount, "USD") == text


def test_numbers() -> None:
    assert formats.number(1234.5, 1) == "1,234.5"
    assert formats.number(-3) == "−3"
    assert formats.number(float("nan")) == formats.number(True) == "–"
    assert formats.percent(0.237, 1) == "23.7%"
    assert formats.number_short(-1_500_000) == "−1.5M"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (NOW - timedelta(seconds=20), "just now"),
        (NOW - timedelta(minutes=12), "12 minutes ago"),
        (NOW + timedelta(hours=3), "in 3 hours"),
        (date(2026, 3, 9), "yesterday"),
        (date(2026, 4, 10), "in 31 days"),
        (date(2025, 9, 1), "6 months ago"),
        (date(2023, 3, 1), "3 years ago"),
    ],
)
def test_relative_dates(value: date, words: str) -> None:
    assert formats.relative(value, NOW)[0] == words


def test_ago_shows_the_absolute_date_on_hover() -> None:
    page = render("{% ago day %}|{% ago nothing %}", day=date(2026, 3, 9), nothing=None)

    assert 'title="March 9, 2026"' in page
    assert page.endswith("|–")


def test_band_always_has_the_word() -> None:
    assert "Red" in render("{% band 'red' 23 %}")
    assert "23" in render("{% band 'red' 23 %}")
    assert "No score" in render("{% band None %}")


def test_delta_colours_the_welcome_direction() -> None:
    assert 'class="delta good"' in ui.delta(2)
    assert 'class="delta bad"' in ui.delta(2, good="down")
    assert 'class="delta "' in ui.delta(2, good="none")
    assert "±0" in ui.delta(0.004, 2)


def test_sparkline_skips_gaps_and_says_when_there_is_nothing() -> None:
    assert ui.sparkline([1, None, 3]).count(",") == 2
    assert "no history" in ui.sparkline([1])
    assert "12.0" in ui.sparkline([5, 5])


def test_bar_is_clamped() -> None:
    assert 'width="100.0"' in ui.bar(3, 2)
    assert 'width="0.0"' in ui.bar(-1, 2)
    assert 'x1="50.0"' in ui.bar(1, 2, mark=1)


def test_text_is_escaped() -> None:
    assert "<b>" not in render(
        "{% badge text %}{% bar 1 1 '' text %}{% sparkline series text %}", text="<b>", series=[1, 2]
    )


def test_undo_address_is_a_path_of_ours() -> None:
    assert ui.undo_url(SimpleNamespace(extra_tags="undo:/queue/undo/1/ quiet")) == "/queue/undo/1/"
    assert ui.undo_url(SimpleNamespace(extra_tags="undo:https://evil.example/")) == ""
    assert ui.undo_url(SimpleNamespace(extra_tags=None)) == ""


def test_sort_and_filters_keep_the_query() -> None:
    request = RequestFactory().get("/?sort=-arr&band=red&band=green&q=x&page=2")
    context = Context({"request": request})

    assert ui.sort_state(context, "arr") == {"aria": "descending", "next": "arr", "icon": "arrow-down"}
    assert ui.sort_state(context, "name")["next"] == "name"
    assert ui.carried(context, "band") == [("sort", "-arr"), ("q", "x")]


def test_chosen_names_two_and_counts_more() -> None:
    choices = [{"label": name, "active": True} for name in "abc"]

    assert ui.chosen(choices[:2]) == "a, b"
    assert ui.chosen(choices) == "a +2"
