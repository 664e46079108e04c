"""What every test starts from."""

from __future__ import annotations

import signal

# NOTE: under `nohup`, or in the background of a shell, these are ignored, and so would be by every
# gateway that a test starts.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.postgres.fixtures"]
