"""How a workspace looks to the people it writes to."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from accounts.models import BrandLogo, MailBranding, Workspace
from cs_platform.lib.colours import INK, WHITE, readable_on, towards

DEFAULT_COLOUR = "#2b4ba0"
DARK_SURFACE = "#1d222b"
LOGO_HEIGHT, LOGO_WIDTH = 40, 220


@dataclass(frozen=True)
class Look:
    """Colours are "#rrggbb"; `link` can be read on white, `dark_link` on the dark surface."""

    name: str
    colour: str
    on_colour: str
    link: str
    dark_link: str
    has_own_colour: bool = False
    logo_url: str = ""
    logo_width: int = 0
    logo_height: int = 0
    postal_address: str = ""

    @property
    def logo_path(self) -> str:
        """For pages of ours, whatever name they were reached by."""
        return self.logo_url.removeprefix(settings.BASE_URL)


def branding_of_workspace() -> MailBranding | None:
    """What the running workspace has set, if anything."""
    return MailBranding.objects.select_related("logo").first()


def look_of(workspace: Workspace, branding: MailBranding | None = None) -> Look:
    """The look of the running workspace; what is not set has a calm default."""
    branding = branding or branding_of_workspace()
    colour = (branding.colour if branding else "") or DEFAULT_COLOUR
    logo = branding.logo if branding else None
    width, height = shown_size(logo) if logo else (0, 0)
    return Look(
        name=(branding.from_name if branding else "") or workspace.name,
        colour=colour,
        on_colour=readable_on(colour),
        link=towards(colour, INK, on=WHITE),
        dark_link=towards(colour, WHITE, on=DARK_SURFACE),
        has_own_colour=bool(branding and branding.colour),
        logo_url=logo_url(workspace.public_id, logo) if logo else "",
        logo_width=width,
        logo_height=height,
        postal_address=branding.postal_address if branding else "",
    )


def logo_url(workspace: UUID, logo: BrandLogo) -> str:
    """Whole, since mail programs have no page to start from. A new logo has a new address."""
    return f"{settings.BASE_URL}/brand/{workspace}/{logo.public_id}.png"


def shown_size(logo: BrandLogo) -> tuple[int, int]:
    """Width and height in CSS pixels: the stored picture has twice as many, for sharp screens."""
    share = min(LOGO_HEIGHT / logo.height, LOGO_WIDTH / logo.width, 1)
    return max(1, round(logo.width * share)), max(1, round(logo.height * share))
