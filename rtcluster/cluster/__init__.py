"""The learner by itself, for those who have features and want clusters: a scikit-learn estimator.

Nothing else of the program imports it, so that no session waits for scikit-learn.
"""

from rtcluster.cluster.estimator import OnlineDrumKMeans as OnlineDrumKMeans

__all__ = ["OnlineDrumKMeans"]
