"""Pure helpers without models; imported by everyone, importing nobody above."""
