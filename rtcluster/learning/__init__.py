"""Learning: from the features of hits to classes that stay put.

Learning runs on the pump thread, after the sinks have had the events, and never on the audio
thread; kits are read and written on the main thread, before a stream and after it.

===============  ======================================================================
``scaling``      the map from raw features to what is compared
``centres``      the steady state by MiniBatchKMeans
``kmeans``       where centres start
``seeding``      how many drums there are, and which class a new centre takes over
``history``      the hits that are held
``model``        the kernel's record
``learner``      warm-up, numbering, teaching; what the processor talks to
``kit``          what was learned, as it is kept; ``kit_schema``, ``kit_format``,
                 ``kit_file``, ``kit_edit``
``detection``    what the detector is tuned to, in a kit
``teaching``     one drum at a time, by a person
``separation``   how well features tell drums apart
===============  ======================================================================
"""
