"""The demo's payments: a past with cases, and customers at the fake Stripe whose payments fail today."""
