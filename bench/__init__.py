"""Benchmarks: each prints a table and writes JSON to ``bench/results``.

``python -m bench.callback`` and ``python -m bench.throughput``, from the project's folder. They
compare within one run, on the machine they run on, and tell distributions and ratios.
"""
