"""The only code that talks to systems outside."""
