"""Reading other people's files: formats, mapping, typed values. Pure: no database."""
