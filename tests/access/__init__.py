"""Who gets what from every address: each URL of the resolver, each role, another workspace, nobody.

Each app has a table of its own (`accounts_rows`, `health_rows`): the rows that its addresses can name, which kind of row
each address names, which need no workspace. `table` puts them together; the tests walk over the whole.
"""
