"""Where audio comes from.

===========  ========================================================================
``file``     any file that libsndfile reads, or standard input, in blocks
``groove``   a synthesised drum groove with known truth
``devices``  what sound devices there are
``live``     a sound card, through PortAudio, into the compiled callback
``virtual``  a sound card of our own making, which plays a groove in real time
===========  ========================================================================
"""
