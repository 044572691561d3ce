"""The demo's logo, colour and sender: a wave for Tidemark."""

from __future__ import annotations

import io
from datetime import datetime

from PIL import Image, ImageDraw

from accounts.models import User
from accounts.services.branding import save_branding, set_logo

COLOUR = "#0f6b78"


def dress_demo(*, acting_user: User, now: datetime) -> None:
    """Inside the workspace's scope; asks nobody for a sender's address."""
    values = {
        "from_name": "Tidemark Customer Success",
        "colour": COLOUR,
        "postal_address": "Tidemark Software Ltd, 4 Quay Street, Bristol BS1 5JX, United Kingdom",
    }
    save_branding(values=values, acting_user=acting_user, now=now)
    set_logo(upload=_logo(), acting_user=acting_user, now=now)


def _logo() -> io.BytesIO:
    """Three waves in a circle, drawn at four times the size at which they are shown."""
    size = 240
    picture = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((4, 4, size - 4, size - 4), fill=COLOUR)
    for top in (78, 118, 158):
        for left in (38, 92, 146):
            draw.arc((left, top - 22, left + 56, top + 22), 180, 360, fill="white", width=12)
    file = io.BytesIO()
    picture.save(file, "PNG")
    file.seek(0)
    return file
