"""Addresses of the policy editor."""

from django.urls import path

from dunning.views import policy, policy_acts

policy_urls = [
    path("dunning/policy/", policy.policy, name="policy"),
    path(
        "dunning/policy/versions/<uuid:public_id>/rollback/",
        policy_acts.policy_rollback,
        name="policy_rollback",
    ),
    path(
        "dunning/policy/<uuid:public_id>/discard/",
        policy_acts.policy_draft_discard,
        name="policy_draft_discard",
    ),
]
