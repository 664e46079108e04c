"""Where several gateways count together what they allow."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from attrs import frozen

from adapters.settings.references import SecretField
from adapters.settings.structure import Between, Matching

_URL: Final = Matching(
    # APPSEC: a password would be shown by `check`, and in messages: it has a field of its own.
    re.compile(r"rediss?://(?:[\w.~-]+@)?(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?(?:/\d{1,3})?"),
    "redis://HOST:PORT/DATABASE, or rediss:// with TLS, without a password in it",
)


@frozen(kw_only=True)
class SharedLimitsConfig:
    """The server of the counts, and what becomes of requests while it is gone.

    Then each gateway counts by itself (`local`), or no request is let in (`refuse`), or the rate
    has no limit (`allow`). A request waits for the server up to `deadline_seconds`.
    """

    url: Annotated[str, _URL]
    while_gone: Literal["local", "refuse", "allow"] = "local"
    password: SecretField | None = None
    deadline_seconds: Annotated[float, Between(0.001, 1, "seconds")] = 0.005
