"""The commands, one a module; :mod:`rtcluster.commands.app` puts them together.

Standard output carries events only; people read standard error. Exit codes: 0 done, 1 it
failed and said why in one line, 2 wrong usage, 130 interrupted. Heavy imports wait inside the
commands, so that ``--help`` and ``devices`` answer at once.
"""
