"""Mail texts: placeholders, the small markup, and what is wrong with a text. Pure: reads no rows."""
