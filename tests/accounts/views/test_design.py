"""The design page shows every component there is."""

from pathlib import Path

from django.test import Client

COMPONENTS = Path(__file__).resolve().parents[3] / "templates/components"
# The end of an htmx answer; on a page it would show the page's messages a second time.
NOT_ON_A_PAGE = {"components/toasts_oob.html"}


def seen_by(user):
    client = Client()
    client.force_login(user)
    return client.get("/settings/design/")


def test_every_component_is_on_the_design_page(cast):
    page = seen_by(cast.ada)
    assert page.status_code == 200
    shown = {template.name for template in page.templates}
    there = {f"components/{path.name}" for path in COMPONENTS.glob("*.html")}
    assert there - shown == NOT_ON_A_PAGE


def test_whoever_may_not_manage_sees_it_too(cast):
    page = seen_by(cast.ben.user).content.decode()
    assert 'src="about:blank"' in page and "Three working days." in page
