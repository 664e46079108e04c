"""Secrets that betray where they went: each holds a mark that appears nowhere else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.whole.gateway import RunningGateway

MARK = "kAnAr1enV0gel"
SECRETS: Mapping[str, str] = {
    source: f"{MARK}-{source}-{MARK}" for source in ("inline", "env", "file", "exec")
}
"""The right secret of each route; a route's id says where its secret comes from."""

WRONG = f"{MARK}-presented-{MARK}"
VARIABLE = "TASKFLOW_MARKED_SECRET"
ENVIRONMENT = {VARIABLE: SECRETS["env"]}
FAST = {
    "limits": {"headSeconds": 0.3, "bodySeconds": 0.3, "rateRequests": 1_000},
    "store": {"url": "sqlite:///taskflow.db"},
}


UNSIGNED = '{"action": "list_flows", "limit": 3}'
"""A body that is sent to the signed route with a wrong signature."""


def signature_of(body: bytes) -> hmac.HMAC:
    """Return the signature that the signed route expects of a body."""
    return hmac.new(SECRETS["inline"].encode(), body, hashlib.sha256)


def configured(folder: Path) -> RunningGateway:
    """Write a configuration with a route for each source, and two with little room."""
    secrets = folder / "secrets.json"
    secrets.write_text(json.dumps({"hook": SECRETS["file"]}), encoding="utf-8")
    secrets.chmod(0o600)
    command = folder / "resolver"
    answer = json.dumps({"protocolVersion": 1, "values": {"hook": SECRETS["exec"]}})
    script = f"cat > /dev/null\necho '{answer}' >&2\necho '{answer}'\n"
    command.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
    command.chmod(0o700)
    providers = {
        "safe": {"source": "file", "path": str(secrets), "mode": "json"},
        "vault": {
            "source": "exec",
            "command": str(command),
            "args": ["--token", SECRETS["exec"]],
            "env": {"TOKEN": SECRETS["exec"]},
        },
    }
    config = folder / "gateway.json5"
    routes = {name: {"sessionKey": f"agent:{name}:main", **r} for name, r in _routes().items()}
    entries = {"webhooks": {"config": {"routes": routes}}}
    document = {
        "plugins": {"entries": entries},
        "secrets": {"providers": providers},
        "taskflow": FAST,
    }
    config.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return RunningGateway(folder, config, ENVIRONMENT)


def _routes() -> Mapping[str, Mapping[str, object]]:
    inline = SECRETS["inline"]
    return {
        "inline": {"secret": inline},
        "env": {"secrets": {"june": f"${{{VARIABLE}}}", "july": f"{MARK}-of-july"}},
        "file": {"secret": {"source": "file", "provider": "safe", "id": "/hook"}},
        "exec": {"secret": {"source": "exec", "provider": "vault", "id": "hook"}},
        "missing": {"secret": {"source": "file", "provider": "safe", "id": "/hook/deeper"}},
        "narrow": {"secret": inline, "limits": {"rateRequests": 1}},
        "single": {"secret": inline, "limits": {"inFlight": 1}},
        "signed": {"secret": inline, "auth": {"scheme": "github"}},
        "allowed": {"secret": inline, "may": ["get_flow"]},
    }


def traces(octets: bytes) -> list[str]:
    """Return in which forms a mark, or the digest of a secret, is in some bytes."""
    return [name for name, form in FORMS.items() if form in octets]


def _forms() -> Iterator[tuple[str, bytes]]:
    mark = MARK.encode()
    for form in (mark, mark.lower(), mark.upper(), mark[:8], mark[-8:], mark[::-1]):
        yield repr(form), form
    yield "hexadecimal", mark.hex().encode()
    yield "UTF-16", MARK.encode("utf-16-le")
    for skipped in range(3):
        # NOTE: how base64 writes the mark depends on how many bytes stand before it.
        aligned = base64.b64encode(b"\0" * skipped + mark + b"\0" * 3)
        yield f"base64 at {skipped}", aligned[4 if skipped else 0 : -8]
    for name, secret in {**SECRETS, "presented": WRONG}.items():
        digest = hashlib.sha256(secret.encode())
        yield f"digest of {name}", digest.digest()
        yield f"hexadecimal digest of {name}", digest.hexdigest().encode()
        yield f"base64 digest of {name}", base64.b64encode(digest.digest())
    expected = signature_of(UNSIGNED.encode())
    yield "expected signature", expected.digest()
    yield "hexadecimal expected signature", expected.hexdigest().encode()
    yield "base64 expected signature", base64.b64encode(expected.digest())


FORMS: Mapping[str, bytes] = dict(_forms())
