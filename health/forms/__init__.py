"""Forms of the health pages."""
