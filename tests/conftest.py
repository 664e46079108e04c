"""What every test starts from."""

from __future__ import annotations

import signal

# NOTE: under `nohup` SIGHUP is ignored, and so would be by every gateway that a test starts.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
