"""Classes: what the live labels are worth beside offline clustering, and beside the truth.

``python -m bench.classes`` runs :class:`rtcluster.Processor` over each annotated recording, once
for each set of features, and puts its labels beside those of others *on the same hits and the same
features*:

- *live*: the classes of the events, the final's after all ``relabel`` events, the guess's as it was
  told;
- *kmeans*: scikit-learn's ``KMeans(n_init=10)`` over all hits, as in the notebook, offline;
- *stream*: the plain loop of ``MinMaxScaler`` and ``MiniBatchKMeans``, ``partial_fit`` hit by hit
  after a warm-up of k hits; each hit has the class it has once it was learned;
- *affinity*: the notebook's ``AffinityPropagation``, which finds the number of classes itself;
- *means*, *3-nn*: the nearest mean of a drum, and the majority of the three nearest hits, where
  the truth of all *other* hits is known: bounds, not rivals.

k is the number of drums that sound alone somewhere in the recording, at least 2. The measures:

- *V*: V-measure of the classes against what sounds, over the hits that match the truth within
  50 ms (mir_eval). Drums struck together are a label of their own, so 1 cannot be reached;
- *A*: adjusted Rand index over those of them that sound alone. It is harsh where nearly all are one
  drum's: a single wrong hit may cost all of it;
- *right*: share of those whose class has their drum's name, where each class has the name of the
  drum it holds most of. A drum that sounds alone once cannot be right by *means* and *3-nn*;
- *agree*: share of the hits whose guess was the final class, over all hits with a guess;
- *margins*: share right, as the events told it, in the upper and in the lower half of the
  margins of a recording;
- *taught*: the learner is given the first five hits of each drum that sound alone; then the whole
  recording is heard. Share of the other hits that sound alone that are named right;
- *auto*: classes found and V with ``--classes auto``, beside the true number and V with that. A
  recording is of *one voice* if no two drums are struck together in it.

Nothing but the truth is left out of these: they are of the program as it is set, on recordings that
its rules were chosen on, too. What whole songs and kits left out of the choice are worth with it is
told by :mod:`bench.classes.left_out`, in a table of its own.

Which hits match, which may be missed and which sound alone is told in :mod:`bench.recordings`.
A complete run writes ``bench/results/classes.json``.
"""
