"""Sequences as data, without side effects: what a definition may say, and when a wait is over.

Modules are imported by name; `health.registry` reads `spec`, and `parsing` reads the registry.
"""
