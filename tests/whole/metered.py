"""What a gateway shows on its administrative address, read as Prometheus reads it."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from attrs import frozen
from prometheus_client.parser import text_string_to_metric_families

from tests.whole.gateway import READY_SECONDS, RunningGateway

ADMIN: Final[Mapping[str, Any]] = {"server": {"admin": {"port": 0}}}
"""Settings by which a gateway shows its metrics on a free port."""

_LISTENS: Final = re.compile(r"metrics host=\S+ port=(\d+)$", re.MULTILINE)
_Labels: TypeAlias = frozenset[tuple[str, str]]


@frozen
class Metrics:
    """The samples of one look, by name and labels."""

    samples: Mapping[tuple[str, _Labels], float]

    def value(self, name: str, **labels: str) -> float:
        """Return the value of a sample; 0 if there is none yet."""
        return self.samples.get((name, frozenset(labels.items())), 0.0)

    def labels(self, name: str) -> set[str]:
        """Return all values that a label has, but for the bounds of buckets."""
        pairs = {pair for _, labels in self.samples for pair in labels}
        return {value for label, value in pairs if label == name}

    @property
    def names(self) -> set[str]:
        """Return the names of all labels."""
        return {label for _, labels in self.samples for label, _ in labels}


def metrics_of(gateway: RunningGateway) -> Metrics:
    """Ask a gateway for its metrics."""
    return read_metrics(asked(gateway, "/metrics")[1].decode())


def read_metrics(text: str) -> Metrics:
    """Return the samples in a text of Prometheus."""
    families = text_string_to_metric_families(text)
    return Metrics(
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }
    )


def asked(gateway: RunningGateway, path: str, *, method: str = "GET") -> tuple[int, bytes]:
    """Ask the administrative address for a path; return the status and the body."""
    return fetched(f"http://127.0.0.1:{admin_port(gateway)}{path}", method=method)


def admin_port(gateway: RunningGateway) -> int:
    """Return the port of a gateway's administrative address."""
    return int(_LISTENS.findall(gateway.logs)[-1])


def fetched(url: str, *, method: str = "GET") -> tuple[int, bytes]:
    """Return the status and the body of what is at an address of ours."""
    request = urllib.request.Request(url, method=method)  # noqa: S310 - our gateway
    try:
        with urllib.request.urlopen(request, timeout=READY_SECONDS) as answer:  # noqa: S310 - the same
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def readiness_of(url: str) -> tuple[int, Mapping[str, Any]]:
    """Return what `/readyz` answers."""
    status, body = fetched(f"{url}/readyz")
    return status, json.loads(body)
