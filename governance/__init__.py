"""The record: domain, policy, services and their adapters."""

import sys
from contextlib import suppress

with suppress(ImportError):
    # py_ecc, which web3 brings along, raises Python's recursion limit to 100,000 when it is first
    # imported. On Python 3.11 a stranger's deeply nested JSON then overflows the C stack and kills
    # the process, where it should raise RecursionError. Imported here once, it cannot do so later.
    import py_ecc as _  # noqa: F401

sys.setrecursionlimit(1000)
