"""The kernel as a plug-in for a host, without Python in it.

:mod:`~rtcluster.plugin.core` has the kernel's machine code as an object file,
:mod:`~rtcluster.plugin.image` a kit as a file that a C program can load, ``player.c`` plays its
notes, ``lv2.c`` is the plug-in around them, :mod:`~rtcluster.plugin.description` what a host reads
of it, and :mod:`~rtcluster.plugin.bundle` puts them together.
"""
