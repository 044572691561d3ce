"""Mark the event names that show value."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from accounts.models import User
from accounts.services.audit import audit
from health.models import KeyFeature


@transaction.atomic
def set_key_features(*, names: Sequence[str], acting_user: User) -> None:
    """Exactly these event names are key features, in this order; labels of kept ones stay."""
    KeyFeature.objects.exclude(name__in=names).delete()
    for position, name in enumerate(names):
        KeyFeature.objects.update_or_create(name=name, defaults={"position": position})
    audit("health.key_features.changed", acting_user=acting_user, count=len(names))
