"""The assignment of least cost: which class takes over which, each at most one.

Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Transactions on Aerospace and
Electronic Systems 52 (2016): shortest augmenting paths, a row at a time. There are few classes, so
this takes less time than the import of ``scipy.optimize``, to which a test holds it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def assign(cost: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pair rows with columns so that the sum of the costs is least.

    Parameters
    ----------
    cost : array_like, shape (n, m)
        Finite.

    Returns
    -------
    rows, columns : ndarray of int64, shape (min(n, m),)
        Rising rows, and the column of each, as ``scipy.optimize.linear_sum_assignment`` has them.
    """
    table = np.asarray(cost, dtype=np.float64)
    if table.shape[0] > table.shape[1]:
        columns, rows = assign(table.T)
        order = np.argsort(rows)
        return rows[order], columns[order]
    n, m = table.shape
    row_price, column_price = np.zeros(n), np.zeros(m)
    row_of = np.full(m, -1)
    for row in range(n):
        least, before = np.full(m, np.inf), np.full(m, -1)
        done, passed = np.zeros(m, dtype=bool), [row]
        at, path = row, 0.0
        while True:  # along the cheapest path until a column is free
            reach = path + table[at] - row_price[at] - column_price
            shorter = ~done & (reach < least)
            least[shorter], before[shorter] = reach[shorter], at
            column = int(np.where(done, np.inf, least).argmin())
            path = float(least[column])
            done[column] = True
            if row_of[column] < 0:
                break
            at = int(row_of[column])
            passed.append(at)
        row_price[row] += path
        column_of = {int(row_of[c]): int(c) for c in np.flatnonzero(row_of >= 0)}
        for other in passed[1:]:
            row_price[other] += path - least[column_of[other]]
        column_price[done] -= path - least[done]
        while True:  # each row on the path takes the next column
            at = int(before[column])
            row_of[column] = at
            if at == row:
                break
            column = column_of[at]
    columns = np.full(n, -1)
    taken = row_of >= 0
    columns[row_of[taken]] = np.flatnonzero(taken)
    return np.arange(n), columns
