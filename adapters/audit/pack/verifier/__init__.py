"""Verifies an evidence pack: python3 -I verify.py [FOLDER] [--key KEY]...

This file imports nothing but Python's own library (3.11 or later), and the package `cryptography`
for signatures if it is there. It is long, so that it is all there is to read. It writes a line for
each check and a verdict, and exits with

  0  verified: all is as it was signed
  1  something is wrong: the lines say what
  2  nothing is wrong, but not everything could be checked

Whoever made the pack may be an enemy. So only regular files are read, and no more of one at a time
than what a pack can have; all that is no number, hash or text of the right form is wrong.

Sources: RFC 9162 §2.1 (the tree), C2SP signed-note and tlog-checkpoint (the checkpoints), RFC 8032
(the keys).
"""
