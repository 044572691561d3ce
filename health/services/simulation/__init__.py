"""Writing a simulated business into a workspace."""
