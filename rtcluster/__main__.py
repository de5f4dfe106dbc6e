"""``python -m rtcluster`` is the command ``rtcluster``."""

from rtcluster.cli import main

main()
