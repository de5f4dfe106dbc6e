"""Performance: tempo, timing, steadiness and dynamics of a session, with their uncertainty.

The aim is to tell a player what the hits say, and no more. Every figure is an estimate with the
half-width of its 95 % interval; a hit is called early or late only if it is off by more than that.
All of it is arithmetic on arrays, in the calling thread: no files, no pictures, no audio.
:func:`measure` takes a whole session, :func:`rtcluster.performance.hits.measure_hits` that of a
log, and :class:`rtcluster.performance.live.Live` a hit at a time.

Conventions
-----------
- Times are in seconds since the session began, deviations in milliseconds, late is positive.
- Tempo is in beats a minute. Which octave a beat is in is a convention of people: the usual one
  is taken (a normal prior over the logarithm of the tempo), and half and double are told too.
- Without a given tempo, hits are held against the player's *own pulse*, which may drift; with
  ``--bpm``, against an even grid of that tempo, laid so that the median hit is on time; with
  the time of a beat too, against that grid as it is.
- A stretch of playing ends at a pause of 4 s. Tempo, drift and swing are those of the stretch
  with the most hits; deviations are of all.
- A swing that is more than its uncertainty is part of the grid, and no lateness.
- Where hits hold to no grid there is "no steady tempo", with the reason, and no figure that needs
  one.

Measures
--------
tempo
    Mean rate of the beat: slope of the robust regression of position in beats on time.
drift
    Change of the tempo in bpm a minute: the square term of the same regression.
swing
    Where the second of two notes begins in per cent of the pair, a coefficient of it too. 50 is
    straight. A drum that plays both notes of a pair tells it from its own lateness; if none
    does, what comes late there is taken for swing.
deviation
    Time of a hit less its place on the grid. Its uncertainty is the detector's spread for the drum
    (:mod:`rtcluster.performance.spread`) and that of the grid, in quadrature.
steadiness
    Standard deviation of a drum's deviations about their mean, corrected for what the fit of
    the pulse took; and their percentiles, with intervals by order statistics. *Jitter* is the same
    less the detector's spread, in quadrature. Hits off every slot (grace notes) do not count.
dynamics
    Percentiles of a drum's velocities; accents are hits 16 steps over its median.
drums
    A hit in which two sound counts for both, each by its own velocity. Its time is that of the
    first of them, so of two struck a few ms apart the later one seems as early as the other.
fastest run
    The shortest time for four even strokes, followed for as long as they stay as fast.
intervals
    Times between consecutive hits, over all drums.

Sources
-------
- Beat: comb over lags, Scheirer, JASA 103 (1998); prior over tempi, Ellis, JNMR 36 (2007); choice
  of the grid, Schwarz, Ann. Stat. 6 (1978).
- Regression: Tukey's bisquare, Holland and Welsch (1977); its variance, Huber, Robust Statistics
  (1981), 7.6; local parabolas, Cleveland, JASA 74 (1979).
- Dependence between neighbouring hits: initial positive sequence, Geyer, Stat. Sci. 7 (1992).
- Student's t: Abramowitz and Stegun, 26.7.5; error of a standard deviation: Kenney and Keeping,
  Mathematics of Statistics (1951), 7.8.
"""

from __future__ import annotations

from rtcluster.performance.drums import Further
from rtcluster.performance.figures import Performance
from rtcluster.performance.measures import measure
from rtcluster.performance.statistics import Estimate

__all__ = ["Estimate", "Further", "Performance", "measure"]
