"""The pure core: what a TaskFlow is, what may happen to it, and what is shown of it.

Nothing in here reads a clock, makes an id, logs, or touches a disk or a socket; it imports the
standard library and attrs only.
"""
