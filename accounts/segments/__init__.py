"""Rules over accounts as a tree of registered fields: read, put into words, made into a query, checked in Python.

A tree is JSON: {"all": [...]}, {"any": [...]} or {"field": ..., "op": ..., "value": ...}.
"""

from accounts.segments.catalogue import all_fields, find_field
from accounts.segments.conditions import condition_of
from accounts.segments.evaluating import holds
from accounts.segments.parsing import Problem, TreeError, parse_tree
from accounts.segments.tree import Group, Rule, Tree
from accounts.segments.words import describe_tree

__all__ = [
    "Group",
    "Problem",
    "Rule",
    "Tree",
    "TreeError",
    "all_fields",
    "condition_of",
    "describe_tree",
    "find_field",
    "holds",
    "parse_tree",
]
