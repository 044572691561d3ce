"""A Stripe of our own for tests and the demo: an HTTP server with its own committed ledger.

The product never imports this package; it only talks to it over HTTP, as it talks to Stripe.
"""
