"""Many recordings at once: on the cores of this machine, or on a Dask cluster.

===========  ============================================================================
``jobs``     what one job is and what comes of it; light, so that it can be sent anywhere
``analyst``  does a job; the same code one by one, in a worker process and on a cluster
``plan``     which recordings there are, and what their outputs are called
``journal``  which outputs are done already, so that a run that broke off can go on
``outputs``  where the lines go: a folder, or standard output in the order of the arguments
``pool``     jobs on the cores of this machine
``cluster``  jobs on a Dask cluster
===========  ============================================================================
"""
