"""Formats of dates and times where Django's own read wrongly, by language."""
