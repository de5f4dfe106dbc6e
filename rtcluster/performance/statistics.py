"""The statistics of the measures: estimates with an uncertainty, and robust regression.

Every uncertainty is the half-width of a 95 % interval. Nothing here knows of drums.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Z = 1.959964
"""97.5 % point of the normal distribution."""

_MAD_TO_SD = 1.482602
_BISQUARE = 4.685  # 95 % as efficient as least squares on normal errors (Holland and Welsch 1977)
_ITERATIONS = 12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the half-width of its 95 % interval, in the same unit.

    Attributes
    ----------
    value : float
    uncertainty : float
        inf if the hits are too few to say.
    """

    value: float
    uncertainty: float


def t_quantile(dof: float) -> float:
    """97.5 % point of Student's t; below one degree of freedom it is infinite."""
    from scipy.special import stdtrit  # the monitor's server starts without it

    return float(stdtrit(dof, 0.975)) if dof >= 1 else math.inf


def robust_sd(values: Array) -> float:
    """Standard deviation by the median absolute deviation from the median."""
    if len(values) < 2:
        return 0.0
    return _MAD_TO_SD * float(np.median(np.abs(values - np.median(values))))


def mean(values: Array) -> Estimate:
    """Mean of independent values."""
    n = len(values)
    if n == 0:
        return Estimate(math.nan, math.inf)
    if n == 1:
        return Estimate(float(values[0]), math.inf)
    half = t_quantile(n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    return Estimate(float(values.mean()), half)


def deviation(squares: Array, dof: float, kurtosis: float = 3.0) -> Estimate:
    """Standard deviation of values whose squared distances from their mean are given.

    Parameters
    ----------
    squares : ndarray of float64, shape (n,)
        Each divided by what its fit left of it, so that its mean is the variance.
    dof : float
        Degrees of freedom that are left.
    kurtosis : float
        Of the values; at least 3 is taken. The standard error of a standard deviation s is
        s sqrt((kurtosis - 1) / 4 dof) (Kenney and Keeping 1951, 7.8).

    Returns
    -------
    Estimate
    """
    if len(squares) < 2 or dof < 1:
        return Estimate(math.nan, math.inf)
    sd = math.sqrt(float(squares.mean()))
    relative = math.sqrt((max(3.0, kurtosis) - 1) / (4 * dof))
    # The interval of a scale is even in its logarithm; its longer side is the one that is told.
    return Estimate(sd, sd * math.expm1(min(5.0, t_quantile(dof) * relative)))


def quantile(values: Array, q: float) -> Estimate:
    """Quantile of independent values, its interval by order statistics (no distribution assumed).

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
    q : float
        0 to 1.
    """
    n = len(values)
    if n == 0:
        return Estimate(math.nan, math.inf)
    ordered = np.sort(values)
    value = float(np.quantile(ordered, q))
    half = Z * math.sqrt(n * q * (1 - q))
    low, high = math.floor(n * q - half) - 1, math.ceil(n * q + half)
    if low < 0 or high >= n:
        if n < 6:
            return Estimate(value, math.inf)
        low, high = max(low, 0), min(high, n - 1)
    return Estimate(value, max(float(ordered[high]) - value, value - float(ordered[low])))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A robust linear regression.

    Attributes
    ----------
    coefficients : ndarray of float64, shape (p,)
    covariance : ndarray of float64, shape (p, p)
        Of the coefficients, dependence between neighbours included.
    residuals : ndarray of float64, shape (n,)
        Measured less fitted.
    weights : ndarray of float64, shape (n,)
        0 (an outlier) to 1.
    leverages : ndarray of float64, shape (n,)
        The share of each value that its own fit took.
    sd : float
        Of the residuals.
    dof : float
        Degrees of freedom that are left, after the dependence between neighbours.
    """

    coefficients: Array
    covariance: Array
    residuals: Array
    weights: Array
    leverages: Array
    sd: float
    dof: float

    @property
    def t(self) -> float:
        """The factor from a standard error to the half-width of a 95 % interval."""
        return t_quantile(self.dof)

    def estimate(self, gradient: Array, value: float) -> Estimate:
        """A function of the coefficients, by its value and its gradient (delta method)."""
        error = math.sqrt(max(0.0, float(gradient @ self.covariance @ gradient)))
        return Estimate(value, self.t * error)

    def errors(self, design: Array) -> Array:
        """Standard errors of what the fit says at the rows of a design."""
        variance = ((design @ self.covariance) * design).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def regress(design: Array, target: Array, iterations: int = _ITERATIONS) -> Fit:
    """Fit a linear model by iterated weights (Tukey's bisquare), outliers having none.

    Parameters
    ----------
    design : ndarray of float64, shape (n, p)
        n > p; rows in order of time.
    target : ndarray of float64, shape (n,)
    iterations : int
        At most; fewer are nearly as good and cost less.

    Returns
    -------
    Fit
        Its covariance is that of an M-estimate, by all residuals or by those that tell a
        coefficient, whichever is larger, times the time that residuals stay alike
        (:func:`correlation_time`).
    """
    n, p = design.shape
    weights = np.ones(n)
    for _ in range(iterations):
        inverse, coefficients = _weighted(design, target, weights)
        residuals = target - design @ coefficients
        # The median distance of n values that p parameters were fitted to is too small.
        scale = _MAD_TO_SD * middle(np.abs(residuals)) * math.sqrt(n / max(1, n - p))
        if scale <= 1e-12:
            break
        before = weights
        weights = np.maximum(0.0, 1 - (residuals / (_BISQUARE * scale)) ** 2) ** 2
        if np.abs(weights - before).max() < 1e-3:
            break
    inverse, coefficients = _weighted(design, target, weights)
    residuals = target - design @ coefficients
    leverages = np.clip(((design @ inverse) * design).sum(axis=1), 0.0, 0.99)
    inside = weights > 0
    left = max(1.0, float(inside.sum()) - p)
    sd = math.sqrt(float((residuals[inside] ** 2).sum()) / left)
    # Influence function of the estimate: psi(r) / E psi', as in Huber 1981, 7.6.
    scaled = np.where(inside, 1 - np.sqrt(weights), 0.0)  # (r / c s)^2
    slope = float(np.mean(np.where(inside, (1 - scaled) * (1 - 5 * scaled), 0.0)))
    psi = float((weights * weights * residuals**2).sum()) / max(1, n - p)
    alike = correlation_time(residuals[inside])
    variance = psi / max(slope, 0.2) ** 2 * alike
    # With few values the weights follow the noise; by simulation of 12 to 300 values.
    variance *= 1 + 3 / max(1, n - p)
    plain, _ = _weighted(design, target, inside.astype(np.float64))
    covariance = plain * variance
    # Drums are not alike: where the hits that tell a coefficient are the unsteady ones, it is
    # less sure than all residuals together make it (White 1980).
    pull = weights * residuals / np.sqrt(1 - leverages) / max(slope, 0.2)
    own = np.diag(plain @ ((design * (pull**2)[:, None]).T @ design) @ plain) * alike
    worse = np.sqrt(np.maximum(1.0, own / np.maximum(np.diag(covariance), 1e-300)))
    covariance = covariance * np.outer(worse, worse)
    dof = max(1.0, (float(inside.sum()) / alike) - p)
    return Fit(coefficients, covariance, residuals, weights, leverages, sd, dof)


def middle(values: Array) -> float:
    """Median, the upper one of two; np.median is ten times slower on few values."""
    half = len(values) // 2
    return float(np.partition(values, half)[half])


def _weighted(design: Array, target: Array, weights: Array) -> tuple[Array, Array]:
    """Inverse of the normal matrix, and the coefficients."""
    normal = design.T @ (design * weights[:, None])
    size = np.sqrt(np.maximum(np.diag(normal), 1e-300))
    scaled = normal / np.outer(size, size)
    try:
        inverse = np.linalg.inv(scaled)
        if not np.abs(inverse).max() < 1e10:
            raise np.linalg.LinAlgError
    except np.linalg.LinAlgError:  # hits that do not tell all coefficients
        inverse = np.linalg.pinv(scaled, rcond=1e-10, hermitian=True)
    inverse = inverse / np.outer(size, size)
    return inverse, inverse @ (design.T @ (weights * target))


def correlation_time(residuals: Array) -> float:
    """How many neighbouring values tell no more than one: 1 for independent ones.

    1 + 2 sum of the autocorrelations, up to the first that chance can explain (Geyer 1992).
    """
    n = len(residuals)
    centred = residuals - residuals.mean() if n else residuals
    power = float(centred @ centred)
    if n < 8 or power <= 0:
        return 1.0
    spectrum = np.fft.rfft(centred, 2 * n)
    rho = np.fft.irfft(np.abs(spectrum) ** 2)[1 : n // 4] / power
    by_chance = np.flatnonzero(rho < 2 / math.sqrt(n))
    return 1.0 + 2 * float(rho[: by_chance[0] if len(by_chance) else len(rho)].sum())
