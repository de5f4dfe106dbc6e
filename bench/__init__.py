"""Benchmarks: ``python -m bench`` runs them all, ``python -m bench NAME`` one of them.

From the project's folder. Each prints tables and writes JSON to ``bench/results``, the machine's
description first. They compare within one run, on the machine they run on, and tell distributions
and ratios. :mod:`bench.suite` has the list.
"""
