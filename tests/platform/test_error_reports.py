"""Error reports leave the installation, so nothing about people may be in them."""

import json
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from cs_platform import error_reports


def test_without_an_address_nothing_starts() -> None:
    assert error_reports.start(None) is False
    assert "sentry_sdk" not in sys.modules


def test_a_missing_client_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    with pytest.raises(ImproperlyConfigured, match=r"requirements/sentry\.txt"):
        error_reports.start("https://key@errors.example/1")


def test_a_report_names_nobody() -> None:
    event = {
        "request": {"url": "/s/secret-token/", "data": "ann@example.com"},
        "user": {"email": "ann@example.com"},
        "breadcrumbs": {"values": [{"message": "ann@example.com"}]},
        "exception": {
            "values": [{"type": "ValueError", "value": "no ann@example.com\nDETAIL: row of ann@example.com"}]
        },
    }
    sent = json.dumps(error_reports.without_people(event, {}))
    assert "example.com" not in sent
    assert "secret-token" not in sent
    assert "ValueError" in sent
