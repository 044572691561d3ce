"""A case as a pure history: `steps` are its lines, `transitions` what they replay to, `words` how they read."""
