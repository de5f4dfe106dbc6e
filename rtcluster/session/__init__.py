"""A session: a source through the engine into the sinks.

Nothing is handed on from here: what only reads a recording needs ``controls``, and must not wait
for Numba.
"""
