"""The engine: audio in, events out; a processor of one channel, or of each."""
