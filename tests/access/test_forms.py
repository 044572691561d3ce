"""Forms: from another tab, from another site, without their token."""

from __future__ import annotations

from django.test import Client

from tests.access.table import OURS, addresses, path_of, signed_in
from tests.builders import make_user


def test_a_form_from_another_tab_changes_nothing(cast, made):
    client = signed_in(cast.ada)
    response = client.post(
        "/settings/keys/", {"workspace": cast.other.public_id, "scope": "read", "name": "x"}
    )
    assert response.status_code == 409


def test_every_unsafe_address_wants_the_form_token(cast, made):
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("Mallory"))
    for address in OURS:
        assert client.post(path_of(address, made)).status_code in (403, 405), address


# Addresses that take an unsafe request without a form token, each with what guards it instead.
WITHOUT_TOKEN = {
    "accounts:unsubscribe": "one click by a mail program (RFC 8058); the link is the secret",
    "accounts:stripe_webhook": "Stripe's signature",
    "accounts:mail_webhook": "the mail provider's signature or secret",
    "health:intake_": "a write key",
    "api-1.0:": "a bearer key; sessions are not looked at",
}


def test_only_what_has_another_guard_goes_without_a_form_token():
    exempt = {a.name for a in addresses() if getattr(a.callback, "csrf_exempt", False)}
    unknown = {name for name in exempt if not name.startswith(tuple(WITHOUT_TOKEN))}
    assert unknown == set(), "a new exemption needs a guard of its own and a line above"
    for name in WITHOUT_TOKEN:
        assert any(found.startswith(name) for found in exempt), f"{name} is no longer exempt"


def test_sign_in_and_foreign_origins_are_refused_too(cast, made):
    """Pages of allauth and public pages: without a token, and with one but from another site."""
    plain = Client(enforce_csrf_checks=True)
    others = [a for a in addresses() if "<" not in a.route and not a.is_ours and a.name]
    checked = 0
    for address in others:
        if getattr(address.callback, "csrf_exempt", False) or address.route in (
            "healthz",
            "readyz",
            "metrics",
        ):
            continue
        status = plain.post(f"/{address.route}").status_code
        assert status in (302, 403, 405), (address, status)
        checked += status == 403
    assert checked >= 5
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.ada)
    client.get("/settings/keys/")
    token = client.cookies["csrftoken"].value
    form = {"csrfmiddlewaretoken": token, "name": "x", "scope": "read"}
    for headers in ({"Origin": "https://evil.example.com"}, {"Origin": "null"}):
        assert client.post("/settings/keys/", form, headers=headers).status_code == 403
        htmx = {**headers, "HX-Request": "true", "X-CSRFToken": token}
        assert client.post("/settings/keys/", {"name": "x", "scope": "read"}, headers=htmx).status_code == 403
    assert client.post("/settings/keys/", form, headers={"Origin": "http://testserver"}).status_code == 200
