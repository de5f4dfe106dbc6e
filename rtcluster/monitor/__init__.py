"""The monitor: a page in the browser that shows a session, read from the drum throne.

Three parts run in three places. :class:`Monitor` is the sink; it belongs to
the pump thread and never waits. A thread of its own writes what the sink was given to the server,
:mod:`rtcluster.monitor.server`, a process of low priority that tells every open page. The page
(``page/``: HTML, CSS and ES modules, as they are) draws. So a slow browser delays nothing but
itself.

Importing this package is cheap: the server is started by it and has to be there at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtcluster.monitor.sink import Monitor as Monitor

__all__ = ["Monitor"]


def __getattr__(name: str) -> object:
    """Load the sink on first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'rtcluster.monitor' has no attribute {name!r}")
    from rtcluster.monitor.sink import Monitor

    return Monitor
