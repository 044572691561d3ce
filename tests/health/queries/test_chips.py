"""A cause beside others in the queue: a short name, never cut within a word."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils.translation import override

from health.queries.causes import cause_of
from health.registry import queue_sources

LETTERS = 40
LONG = {
    "title": "Ring the champion about the seats that nobody has used since the spring",
    "act": "set_method",
    "code": "payment_method_customer_decline",
    "amount_minor": 28_800,
    "currency": "GBP",
    "decline_code": "stolen_card",
}


def chip(source: str, evidence: dict[str, Any]) -> str:
    return cause_of(f"{source}:1", evidence, 3, date(2026, 11, 22)).chip


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_source_has_a_name_that_fits(language: str) -> None:
    with override(language):
        for source in queue_sources.names():
            found = chip(source, LONG)
            assert 0 < len(found) <= LETTERS, (source, found)
            assert "…" not in found or source == "sequence", (source, found)


def test_a_failed_payment_and_a_refused_act_are_named() -> None:
    assert chip("dunning", LONG) == "Payment failed"
    assert chip("dunning_refused", LONG) == "Refused by the provider"


def test_a_long_title_ends_after_a_word() -> None:
    assert chip("sequence", LONG) == "Ring the champion about the seats that …"
    assert chip("sequence", {"title": "Ring the champion"}) == "Ring the champion"
    assert chip("sequence", {"title": "x" * 90}) == "Playbook"
