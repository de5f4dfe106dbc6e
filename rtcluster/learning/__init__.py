"""Learning: from the features of hits to classes that stay put.

Runs on the pump thread, after the sinks have had the events, and never on the audio thread.

===============  ======================================================================
``scaling``      MinMaxScaler whose range grows, and centres that move with it
``clustering``   the start by KMeans and the steady state by MiniBatchKMeans
``learner``      warm-up, numbering, teaching; what the processor talks to
===============  ======================================================================
"""
