"""The kernel as a plug-in for a host, without Python in it.

:mod:`~rtcluster.plugin.core` has the kernel's machine code as an object file,
:mod:`~rtcluster.plugin.image` a kit as a file that a C program can load; ``player.c`` plays its
notes. Around that are ``lv2.c``, which :mod:`~rtcluster.plugin.description` describes to a host,
and ``clap.c``. Both have the :mod:`~rtcluster.plugin.controls`, and
:mod:`~rtcluster.plugin.bundle` puts them together.
"""
