"""Acts beside the policy editor: roll back, throw the draft away."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from accounts.access import WorkspaceRequest, requires
from dunning.models import DunningPolicy, DunningPolicyVersion
from dunning.services import policies


@require_POST
@requires("dunning.configure")
def policy_rollback(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Put an older version in force again."""
    version = get_object_or_404(
        DunningPolicyVersion.objects.select_related("policy"), public_id=public_id, published_at__isnull=False
    )
    before = policies.version_in_force()
    restored = policies.roll_back(version=version, acting_user=request.user, now=timezone.now())
    messages.success(
        request,
        gettext("Version %(old)d is in force again, as version %(new)d.")
        % {"old": version.number, "new": restored.number},
        extra_tags=f"undo:{reverse('dunning:policy_rollback', args=[before.public_id])}",
    )
    return redirect("dunning:policy")


@require_POST
@requires("dunning.configure")
def policy_draft_discard(request: WorkspaceRequest, public_id: UUID) -> HttpResponse:
    """Throw the draft away that the page showed."""
    found = get_object_or_404(DunningPolicy, public_id=public_id)
    try:
        policies.discard_draft(policy=found, acting_user=request.user, seen=request.POST.get("seen", ""))
    except policies.ChangedMeanwhile:
        messages.error(
            request, gettext("The draft was changed meanwhile, so it is kept. Look at it again first.")
        )
        return redirect("dunning:policy")
    messages.success(request, gettext("The draft is gone; what is in force has not changed."))
    return redirect("dunning:policy")
