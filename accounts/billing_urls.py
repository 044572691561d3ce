"""Addresses of the connection to a payment provider."""

from django.urls import path

from accounts.views import billing, billing_findings, billing_webhook

urlpatterns = [
    path("settings/billing/", billing.billing, name="billing"),
    path("settings/billing/state/", billing.billing_state, name="billing_state"),
    path("settings/billing/key/", billing.billing_key, name="billing_key"),
    path("settings/billing/rights/", billing.billing_rights, name="billing_rights"),
    path("settings/billing/secret/", billing.billing_secret, name="billing_secret"),
    path("settings/billing/syncs/", billing.billing_syncs, name="billing_syncs"),
    path("settings/billing/disconnection/", billing.billing_disconnection, name="billing_disconnection"),
    path("settings/billing/parked/", billing_findings.billing_parked, name="billing_parked"),
    path(
        "settings/billing/parked/<uuid:public_id>/trial/",
        billing_findings.billing_trial,
        name="billing_trial",
    ),
    path("settings/billing/differences/", billing_findings.billing_differences, name="billing_differences"),
    path("webhooks/stripe/<uuid:workspace>/", billing_webhook.stripe_webhook, name="stripe_webhook"),
]
