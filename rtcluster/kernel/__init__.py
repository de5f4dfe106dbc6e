"""The compiled core: everything that runs on the audio thread.

Nothing in here allocates, raises, takes a lock or needs the GIL once it is compiled;
:func:`rtcluster.kernel.state.create` makes all the memory it will ever use.

=============  ==========================================================================
``state``      the one record that holds a stream's state
``aubio_c``    aubio's C functions, reachable from compiled code
``onset``      from a hop of audio to "a hit began at sample n, this loud"
``features``   zero crossings and energy of a window
``classify``   nearest centre
``ring``       the event ring and the model queue: one writer, one reader, no lock
``advance``    the whole per-block job, in terms of the above
``callback``   the same as a PortAudio callback
=============  ==========================================================================
"""
