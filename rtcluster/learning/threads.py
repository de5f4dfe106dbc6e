"""The threads of the libraries that learning calls.

[any thread] Products of small matrices gain nothing by several threads, and lose much where the
processors are busy: threads of BLAS that wait for each other spin. With one thread its results are
also the same on any number of processors.
"""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def pools(api: str) -> Any:
    """Libraries of an interface, "blas" or "openmp", as they are loaded now; ``limit`` limits them.

    Looked for once: some versions of threadpoolctl ask the dynamic loader with a callback into
    Python, which locks up if another thread imports an extension module meanwhile.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api=api)


def one_thread() -> Any:
    """A context in which BLAS uses the calling thread alone."""
    return pools("blas").limit(limits=1)
