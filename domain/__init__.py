"""What the project is about, in five rooms: `flow <- application <- history <- {replay, tlog}`.

Pure: the standard library and attrs; no clock, no ids, no I/O, no logging.
"""
