"""What every test starts from."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# NOTE: how long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile(
    "untimed", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")

# NOTE: under `nohup`, or in the background of a shell, these are ignored, and so would be by every
# gateway that a test starts.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.postgres.fixtures"]
