"""One module per group of commands; each has ``register(app)``, which the command line calls.

A module imports at the top only what is quick to import, so that ``--help`` is quick; the rest
is imported inside the command.
"""
