"""The words of the bands, the same on every page."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from health.models import HealthBand

BAND_WORDS: dict[str, str | Promise] = {
    HealthBand.RED: _("Red"),
    HealthBand.YELLOW: _("Yellow"),
    HealthBand.GREEN: _("Green"),
}


def band_word(band: str) -> str:
    """The band as a word; empty for none."""
    return str(BAND_WORDS.get(band, ""))
