"""How the requests of a key are signed: `auth` of a route or of a key, and the keys of a scheme.

What a scheme means stands in `adapters.webhooks.signatures`; here stands what may be set of it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeAlias

from attrs import frozen

from adapters.settings.nodes import Misfit, Node
from adapters.settings.references import DeclaredSecret, SecretField, read_secret
from adapters.settings.signature_keys import Ed25519Key, HmacKey, SignatureKey
from adapters.settings.structure import Between, Matching, read, read_members

SignatureScheme: TypeAlias = Literal[
    "github", "stripe", "slack", "standard-webhooks", "hmac-sha256"
]

_SHARED: Final = "whsec_"
_PUBLIC: Final = "whpk_"
_PUBLIC_OCTETS: Final = 32
_NAME: Final = Matching(re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}"), "the name of a header")


def _header(node: Node) -> str:
    return _NAME(node).lower()


def _visible(pattern: str, expected: str) -> object:
    return Annotated[str, Matching(re.compile(pattern), expected, trimmed=False)]


_Header: TypeAlias = Annotated[str, _header]
_PREFIX: Final = _visible(r"[!-~][ -~]{0,31}", "1 to 32 visible characters of ASCII")
_TOLERANCE: Final = {"tolerance_seconds": Annotated[float, Between(1, 3600, "seconds")]}
_HEADERS: Final[Mapping[str, object]] = dict.fromkeys(
    ("header", "id_header", "timestamp_header"), _Header
)
_OPTIONS: Final[Mapping[str, Mapping[str, object]]] = {
    "github": {},
    "stripe": _TOLERANCE,
    "slack": _TOLERANCE,
    "standard-webhooks": {**_TOLERANCE, **_HEADERS},
    "hmac-sha256": {
        **_TOLERANCE,
        **_HEADERS,
        "prefix": _PREFIX,
        "encoding": Literal["hex", "base64"],
        "separator": Literal[",", " ", ";", ", "],
        "timestamp_prefix": _PREFIX,
        "signed": _visible(r"[ -~]{1,128}", "1 to 128 visible characters of ASCII"),
    },
}
"""What may be set of each scheme."""

_PLACEHOLDER: Final = re.compile(r"\{(id|timestamp|body)\}")


@frozen
class SignatureConfig:
    """A scheme by which requests are signed, and what is set of it; names are in lower case."""

    scheme: SignatureScheme
    options: Mapping[str, Any]

    def key(self, text: str) -> SignatureKey:
        """Return the key that a text is.

        Raises:
            Misfit: if it is none of the scheme's.
        """
        if self.scheme != "standard-webhooks":
            return HmacKey(text, text.encode())
        if text.startswith(_SHARED) and (octets := _octets(text.removeprefix(_SHARED))):
            return HmacKey(text, octets)
        octets = _octets(text.removeprefix(_PUBLIC))
        if text.startswith(_PUBLIC) and octets and len(octets) == _PUBLIC_OCTETS:
            return Ed25519Key(text, octets)
        raise Misfit("whsec_ and a key in base64, or whpk_ and a public one", "another text")

    @property
    def secret_field(self) -> object:
        """Return the kind of the field that has the key."""
        return Annotated[DeclaredSecret, partial(read_secret, make=self.key)]


def secret_field(signature: SignatureConfig | None) -> object:
    """Return the kind of the field with a key's secret, by how its requests are signed, if so."""
    return SecretField if signature is None else signature.secret_field


def _octets(text: str) -> bytes | None:
    """Return what is in base64 here, with or without its padding."""
    try:
        return base64.b64decode(
            text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True
        )
    except ValueError:
        return None


def read_signature(node: Node) -> SignatureConfig | None:
    """Read `auth`; None if there is none, or if what is wrong with it has been noted."""
    if node.is_absent:
        return None
    if not isinstance(node.value, dict):
        node.refuse("an object with a scheme")
        return None
    scheme = read(node.at("scheme"), SignatureScheme)
    if scheme is None:
        return None
    required = {"header"} if scheme == "hmac-sha256" else set()
    options = read_members(node, {"scheme": SignatureScheme, **_OPTIONS[scheme]}, required)
    del options["scheme"]
    if scheme == "hmac-sha256":
        _check(node, options)
    return SignatureConfig(scheme, options)


def _check(node: Node, options: Mapping[str, Any]) -> None:
    """Note what of a form of one's own does not fit together."""
    signed = options.get("signed", "{body}")
    stamps = [
        name for name in ("timestampHeader", "timestampPrefix") if not node.at(name).is_absent
    ]
    for placeholder, is_wanted in (
        ("{body}", True),
        ("{timestamp}", bool(stamps)),
        ("{id}", not node.at("idHeader").is_absent),
    ):
        # APPSEC: what is read and not signed, a stranger may choose.
        if signed.count(placeholder) != is_wanted:
            times = "once" if is_wanted else "not, as no field says where it is"
            node.at("signed").refuse(f"a text with {placeholder} {times}", "another text")
    # APPSEC: without a sign between them, one text could be split in two ways.
    if re.search(r"[{}]", _PLACEHOLDER.sub("", signed)) or "}{" in signed:
        node.at("signed").refuse(
            "no braces but {id}, {timestamp} and {body}, and a sign between them", "another text"
        )
    if len(stamps) > 1:
        node.at(stamps[1]).refuse("one place of the time stamp", f"{stamps[0]} as well")
    if "timestamp_prefix" in options and "separator" not in options:
        node.at("timestampPrefix").refuse("a separator beside it", "none")
    if "tolerance_seconds" in options and not stamps:
        node.at("toleranceSeconds").refuse("timestampHeader or timestampPrefix", "none")
