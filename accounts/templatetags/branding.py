"""How a public page shows whose it is."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from accounts.models import Workspace
from accounts.queries.branding import look_of
from cs_platform.lib.scoping import NoScope, current_workspace_id

register = template.Library()


@register.simple_tag
def look_of_page(workspace: Any) -> dict[str, Any]:
    """Logo (address within this site) and style sheet of the page's workspace; empty outside its scope."""
    try:
        if not isinstance(workspace, Workspace) or current_workspace_id() != workspace.pk:
            return {}
    except NoScope:
        return {}
    look = look_of(workspace)
    style = reverse("accounts:brand_style", args=[look.colour[1:]]) if look.has_own_colour else ""
    return {
        "logo_url": look.logo_path,
        "logo_width": look.logo_width,
        "logo_height": look.logo_height,
        "style_url": style,
    }
