"""The decline policy as data and what follows from it, without side effects: time and facts are passed in.

Modules are imported by name: `classes` and `code_table` are the data, `judging` reads one refusal, `definition`
and `parsing` are a workspace's policy, `planning` decides about the next retry and the first notice.
"""
