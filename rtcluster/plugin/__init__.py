"""The kernel as a plug-in for a host, without Python in it.

:mod:`~rtcluster.plugin.core` has the kernel's machine code as an object file,
:mod:`~rtcluster.plugin.image` a prepared state as bytes that a C program can load,
``shell.c`` is the plug-in around them, and :mod:`~rtcluster.plugin.bundle` puts them together.
"""
