"""Everything that talks to Stripe. The SDK is imported here and nowhere else."""
