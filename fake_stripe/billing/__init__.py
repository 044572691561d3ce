"""What Stripe does by itself: renewals, payments, retries, endings; driven by the clock."""
