"""The compiled core: everything that runs on the audio thread.

Nothing in here allocates, raises, takes a lock or needs the GIL once it is compiled;
:func:`rtcluster.kernel.state.create` and what is configured before the stream make all the memory
it will ever use.

=============  ==========================================================================
``state``      the one record that holds a stream's state
``advance``    the whole per-block job, in terms of the rest; ``due``: guesses and finals
``callback``   the same as a PortAudio callback; ``virtual`` plays audio into it in real time
``entry``      the same for callers in Python
``onset``      from a hop of audio to "a hit began so many samples ago, this loud"
``detector``   our own detector, of ``spectrum``, ``flux``, ``picker``, ``opening`` and
               ``following``: a threshold that follows the player
``attack``     the first sample of a hit
``velocity``   how hard it was
``features``   what is measured of a window; ``plugin`` calls somebody else's
``rate``       the window of a hit at the rate of the kit
``shape``      the power in mel bands of a hit, by ``fft``; ``sets``: which drums it is;
               ``apart``: how far apart two of them were struck
``joint``      one hit out of several microphones; ``faults``: those that fail; ``levels``: those
               that no kit knows
``classify``   nearest centre
``click``      a sound on each hit, mixed into the stream's output
``ring``       the event ring and the model queue: one writer, one reader, no lock
``aubio_c``    aubio's C functions, reachable from compiled code
``jit``        how all of it is compiled
``cache``      where that is kept, and what becomes of it when it is damaged
=============  ==========================================================================
"""
