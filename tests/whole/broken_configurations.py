"""Ways to break a configuration so that a secret stands where it should not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tests.whole.canaries import SECRETS

RIGHT = SECRETS["inline"]
Change: TypeAlias = Callable[[dict[str, Any]], object]


def _inline(document: dict[str, Any]) -> dict[str, Any]:
    routes: dict[str, Any] = document["plugins"]["entries"]["webhooks"]["config"]["routes"]
    inline: dict[str, Any] = routes["inline"]
    return inline


def _provider(document: dict[str, Any], name: str) -> dict[str, Any]:
    provider: dict[str, Any] = document["secrets"]["providers"][name]
    return provider


BREAKS: Mapping[str, Change] = {
    "a secret that is an array": lambda d: _inline(d).update(secret=[RIGHT]),
    "a secret that is an object": lambda d: _inline(d).update(secret={"value": RIGHT}),
    "a placeholder with a default": lambda d: _inline(d).update(secret=f"${{X:-{RIGHT}}}"),
    "a placeholder with a secret beside": lambda d: _inline(d).update(secret=f"{RIGHT}{{{{x}}}}"),
    "a secret for a plugin": lambda d: d["plugins"].update(deny=[[RIGHT]], allow=RIGHT),
    "a secret beside the plugin": lambda d: d["plugins"]["entries"]["webhooks"].update(token=RIGHT),
    "a reference with more in it": lambda d: _inline(d).update(
        secret={"source": "env", "provider": "default", "id": "X", "value": RIGHT}
    ),
    "a reference that has the secret for an id": lambda d: _inline(d).update(
        secret={"source": "env", "provider": "default", "id": RIGHT}
    ),
    "a reference to a provider that is a secret": lambda d: _inline(d).update(
        secret={"source": RIGHT, "provider": "default", "id": "X"}
    ),
    "secrets that are an array": lambda d: _inline(d).update(secrets=[RIGHT]),
    "a secret in an unknown key": lambda d: _inline(d).update(secretKey=RIGHT),
    "a secret for a switch": lambda d: _inline(d).update(enabled=RIGHT),
    "a secret for a limit": lambda d: _inline(d).update(limits={"inFlight": RIGHT}),
    "a secret for limits": lambda d: _inline(d).update(limits=RIGHT),
    "a secret for a description": lambda d: _inline(d).update(description=[RIGHT]),
    "a provider's variables in an array": lambda d: _provider(d, "vault").update(env=[RIGHT]),
    "a provider's variable with NUL": lambda d: _provider(d, "vault").update(
        env={"T": RIGHT + "\0"}
    ),
    "a provider's arguments in a text": lambda d: _provider(d, "vault").update(args=RIGHT),
    "a provider's argument with NUL": lambda d: _provider(d, "vault").update(args=[RIGHT + "\0"]),
    "a provider's unknown key": lambda d: _provider(d, "vault").update(token=RIGHT),
    "a secret for a time": lambda d: _provider(d, "vault").update(timeoutMs=RIGHT),
    "a secret for a mode": lambda d: _provider(d, "safe").update(mode=RIGHT),
    "a secret for a source": lambda d: _provider(d, "safe").update(source=RIGHT),
    "a password in the store's URL": lambda d: d["taskflow"].update(
        store={"url": f"postgresql://user:{RIGHT}@host/db"}
    ),
    "a password in a file's URL": lambda d: d["taskflow"].update(
        store={"url": f"sqlite://user:{RIGHT}@host/db"}
    ),
    "a proxy that is a secret": lambda d: d.update(gateway={"trustedProxies": [RIGHT]}),
}
