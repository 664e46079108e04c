"""Who signed a request: the vendors' own libraries and examples, and whatever is not theirs."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.settings import SignatureKey
from adapters.settings.signature_config import SignatureConfig
from adapters.webhooks import responses
from adapters.webhooks.signatures.forms import PRESETS, SignatureForm, form_of
from adapters.webhooks.signatures.verifying import MOST_ITEMS, is_signed_by
from tests.webhooks.gateway import NOW, SECRETS, a_head
from tests.webhooks.signing import (
    SECRET,
    SENDERS,
    STAMPED,
    WHSEC,
    HeadersSent,
    Sender,
    by_hand,
    deliver,
    gateway_of,
    github,
    public_key,
    signed_gateway,
    standard,
    standard_public,
    webhook_headers,
)

BODY = b'{"action": "create_flow", "goal": "ship it"}'
SECONDS = NOW // 1000
EACH = pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS.keys())
UNAUTHORIZED = (401, responses.UNAUTHORIZED.body)


def verdict(
    scheme: str,
    secret: str,
    headers: HeadersSent,
    body: bytes,
    at: int = NOW,
    **options: Any,  # noqa: ANN401 - of a form
) -> bool:
    """Say whether a request is signed by a key of a scheme."""
    config = SignatureConfig(scheme, options)  # type: ignore[arg-type]
    head = a_head(headers)
    return is_signed_by(config.key(secret), form_of(scheme, options), head, body, at)


@EACH
def test_what_a_vendors_library_signs_is_accepted(tmp_path: Path, sender: Sender) -> None:
    gateway = gateway_of(sender, tmp_path)
    status, _ = deliver(gateway, sender.sign(BODY, SECONDS), BODY)
    assert status == 200
    (record,) = gateway.store.records
    assert (record.metadata.actor.name, record.metadata.actor.key_id) == ("zapier", "default")
    (entry,) = gateway.access_log
    assert (entry["key_id"], entry["action"]) == ("default", "create_flow")


def test_the_example_of_github() -> None:
    """Validating webhook deliveries: testing the webhook payload validation."""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = [("X-Hub-Signature-256", signature)]
    assert verdict("github", "It's a Secret to Everybody", headers, b"Hello, World!")


def test_the_example_of_slack() -> None:
    """Verifying requests from Slack: a recipe, step by step."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = [
        ("X-Slack-Request-Timestamp", "1531420618"),
        (
            "X-Slack-Signature",
            "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        ),
    ]
    at = 1_531_420_618_000
    assert verdict("slack", "8f742231b10e8888abcd99yyyzzz85a5", headers, body, at)


@pytest.mark.parametrize(
    ("secret", "signature"),
    [
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            public_key(),
            "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==",
        ),
    ],
    ids=["v1", "v1a"],
)
def test_the_examples_of_standard_webhooks(secret: str, signature: str) -> None:
    headers = webhook_headers(1_614_265_330, signature, "msg_p5jXN8AQM9LWM0D4loKWxJek")
    at = 1_614_265_330_000
    assert verdict("standard-webhooks", secret, headers, b'{"test": 2432232314}', at)


def flips(headers: HeadersSent, body: bytes) -> Iterator[tuple[HeadersSent, bytes]]:
    """Give a request with each bit of its values and its body changed, one at a time."""
    for bit in range(8 * len(body)):
        yield headers, flipped(body, bit)
    for number, (name, value) in enumerate(headers):
        for bit in range(8 * len(value)):
            changed = flipped(value.encode(), bit).decode("latin-1")
            yield [*headers[:number], (name, changed), *headers[number + 1 :]], body


def flipped(octets: bytes, bit: int) -> bytes:
    changed = bytearray(octets)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("padding", [0, pytest.param(1250, marks=pytest.mark.full)])
@EACH
def test_one_bit_flipped_anywhere_is_401_and_no_other_code(
    tmp_path: Path, sender: Sender, padding: int
) -> None:
    body = BODY + b" " * padding
    gateway, headers = gateway_of(sender, tmp_path), sender.sign(body, SECONDS)
    answers = [deliver(gateway, *flip) for flip in flips(headers, body)]
    assert len(answers) >= 8 * len(body)
    assert set(answers) == {UNAUTHORIZED}
    assert deliver(gateway, headers, body)[0] == 200
    assert len(gateway.store.records) == 1


@pytest.mark.parametrize("name", STAMPED)
@pytest.mark.parametrize(
    ("late", "accepted"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)]
)
def test_a_request_counts_around_the_time_at_which_it_was_signed(
    tmp_path: Path, name: str, late: int, *, accepted: bool
) -> None:
    gateway = gateway_of(SENDERS[name], tmp_path)
    headers = SENDERS[name].sign(BODY, SECONDS)
    gateway.now = SECONDS * 1000 + late * 1000
    assert (deliver(gateway, headers, BODY)[0] == 200) is accepted


def test_the_window_is_as_wide_as_it_is_set() -> None:
    headers = standard(BODY, SECONDS)
    for late, accepted in ((10_000, True), (10_001, False), (-10_001, False)):
        at = SECONDS * 1000 + late
        found = verdict("standard-webhooks", WHSEC, headers, BODY, at, tolerance_seconds=10.0)
        assert found is accepted


def test_of_several_signatures_one_is_enough() -> None:
    (_, _, (name, right)) = standard(BODY, SECONDS)
    wrong = f"v1,{base64.b64encode(bytes(32)).decode()}"
    for several in (f"{wrong} {right}", f"{right} {wrong}", f"v2,x {right}", f"v1,= {right}"):
        headers = [*standard(BODY, SECONDS)[:2], (name, several)]
        assert verdict("standard-webhooks", WHSEC, headers, BODY), several
    for none in (wrong, f"v2,{right[3:]}", right[3:], f"{right},", f" v1, {right[3:]}"):
        headers = [*standard(BODY, SECONDS)[:2], (name, none)]
        assert not verdict("standard-webhooks", WHSEC, headers, BODY), none


def test_there_is_a_bound_on_signatures() -> None:
    (_, _, (name, right)) = standard(BODY, SECONDS)
    for count, accepted in ((MOST_ITEMS, True), (MOST_ITEMS + 1, False)):
        headers = [*standard(BODY, SECONDS)[:2], (name, " ".join([right] * count))]
        assert verdict("standard-webhooks", WHSEC, headers, BODY) is accepted


def test_a_key_is_not_used_for_another_version() -> None:
    as_shared = [(name, value.replace("v1a,", "v1,")) for name, value in standard_public(BODY, 1)]
    assert verdict("standard-webhooks", public_key(), standard_public(BODY, 1), BODY, 1000)
    assert not verdict("standard-webhooks", public_key(), as_shared, BODY, 1000)
    assert not verdict("standard-webhooks", WHSEC, standard_public(BODY, 1), BODY, 1000)


def test_headers_of_another_name_can_be_set() -> None:
    headers = [(name.replace("webhook", "svix"), value) for name, value in standard(BODY, SECONDS)]
    own: dict[str, Any] = {
        "header": "svix-signature",
        "id_header": "svix-id",
        "timestamp_header": "svix-timestamp",
    }
    assert verdict("standard-webhooks", WHSEC, headers, BODY, **own)
    assert not verdict("standard-webhooks", WHSEC, headers, BODY)


class CountingKey:
    """A key that counts what it is to verify."""

    is_public = False

    def __init__(self) -> None:
        self.seen: list[int] = []

    def verifies(self, _: bytes, signatures: object) -> bool:
        assert isinstance(signatures, list)
        self.seen.append(len(signatures))
        return True


def test_every_key_is_tried_with_every_signature_whichever_matches() -> None:
    """Else the time of an answer tells which one it was."""
    keys = [CountingKey(), CountingKey()]
    forms = SignatureForm(header="x-sign", separator=",")
    head = a_head([("X-Sign", ",".join(["00" * 32] * 5))])
    for key in keys:
        assert is_signed_by(key, forms, head, BODY, NOW)
    assert [key.seen for key in keys] == [[5], [5]]


@pytest.mark.parametrize("name", STAMPED)
def test_a_header_that_comes_twice_is_refused(name: str) -> None:
    sender = SENDERS[name]
    scheme = sender.auth["scheme"]
    options: dict[str, Any] = {
        "hmac-sha256": {
            "header": "x-sign",
            "separator": ";",
            "prefix": "hmac ",
            "encoding": "base64",
            "timestamp_prefix": "at=",
            "signed": "{timestamp}|{body}",
        }
    }.get(scheme, {})
    headers = sender.sign(BODY, SECONDS)
    assert verdict(scheme, sender.secret, headers, BODY, **options)
    for one in headers:
        assert not verdict(scheme, sender.secret, [*headers, one], BODY, **options)
        rest = [other for other in headers if other is not one]
        assert not verdict(scheme, sender.secret, rest, BODY, **options)


@pytest.mark.parametrize(
    "stamp",
    ["", "+1700000000", "1700000000.0", " ", "1_700_000_000", "\u0661", "-1", "1e9", "9" * 99],
)
def test_a_time_stamp_is_digits(stamp: str) -> None:
    signature = by_hand(SECRET, b"v0:%b:%b" % (stamp.encode("latin-1", "replace"), BODY))
    headers = [
        ("X-Slack-Request-Timestamp", stamp),
        ("X-Slack-Signature", f"v0={signature.hexdigest()}"),
    ]
    assert not verdict("slack", SECRET, headers, BODY)


def test_a_message_id_cannot_borrow_from_its_neighbour() -> None:
    """`a.1` and `2` sign the same as `a` and `1.2`."""
    message = f"a.{SECONDS}.{SECONDS}.".encode()
    octets = base64.b64decode(WHSEC.removeprefix("whsec_"))
    signature = base64.b64encode(by_hand(octets.decode(), message + BODY).digest()).decode()
    for message_id, body in (("a", b"%d." % SECONDS + BODY), (f"a.{SECONDS}", BODY)):
        headers = webhook_headers(SECONDS, f"v1,{signature}", message_id)
        assert verdict("standard-webhooks", WHSEC, headers, body) is (message_id == "a")


@given(values=st.lists(st.text(st.characters(max_codepoint=255)), min_size=3, max_size=3))
def test_whatever_a_stranger_sends_is_no_signature_and_no_fault(values: list[str]) -> None:
    for form in PRESETS.values():
        names = [form.header, form.timestamp_header or "x-a", form.id_header or "x-b"]
        head = a_head(list(zip(names, values, strict=True)))
        assert not is_signed_by(SignatureConfig("github", {}).key(SECRET), form, head, BODY, NOW)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    prefix=st.sampled_from(["v1,", "v1a,", "v1=", "v0=", "sha256=", ""]),
    text=st.text(st.characters(max_codepoint=255)),
)
def test_a_malformed_signature_is_401(tmp_path: Path, prefix: str, text: str) -> None:
    for sender in SENDERS.values():
        gateway = gateway_of(sender, tmp_path)
        headers = [(name, prefix + text) for name, _ in sender.sign(BODY, SECONDS)]
        assert deliver(gateway, headers, BODY) == UNAUTHORIZED


@EACH
def test_a_signed_route_takes_no_bearer_and_no_other_scheme(tmp_path: Path, sender: Sender) -> None:
    gateway = gateway_of(sender, tmp_path)
    for bearer in (
        ("Authorization", f"Bearer {sender.secret}"),
        ("x-openclaw-webhook-secret", sender.secret),
        ("Authorization", f"Bearer {SECRETS['twin']}"),
    ):
        assert deliver(gateway, [bearer], BODY) == UNAUTHORIZED
    for other in SENDERS.values():
        if other is not sender:
            assert deliver(gateway, other.sign(BODY, SECONDS), BODY) == UNAUTHORIZED
    assert gateway.store.records == []


def test_a_route_with_a_bearer_takes_no_signature(tmp_path: Path) -> None:
    gateway = signed_gateway(tmp_path, secret=SECRET)
    assert deliver(gateway, github(BODY, SECONDS), BODY) == UNAUTHORIZED


def test_a_401_says_nothing(tmp_path: Path) -> None:
    """Neither that the route is signed nor what is wrong; it is the answer to a wrong bearer."""
    gateway = gateway_of(SENDERS["github"], tmp_path)
    signed = gateway.send(BODY, headers=[("Content-Type", "application/json"), *github(b"", 0)])
    bearer = gateway.send(
        BODY, route="twin", headers=[("Content-Type", "application/json"), ("Authorization", "B")]
    )
    assert (signed.status_code, signed.content) == (bearer.status_code, bearer.content)
    assert set(signed.headers) == set(bearer.headers)
    assert b"invalid" not in signed.content


def test_the_key_is_named_by_which_a_request_is_signed(tmp_path: Path) -> None:
    keys = {"old": "another-secret-of-old", "2026-11": SECRET, "again": SECRET}
    gateway = signed_gateway(
        tmp_path, secret="plain-secret-of-all", secrets=keys, auth={"scheme": "github"}
    )
    assert deliver(gateway, github(BODY, SECONDS), BODY)[0] == 200
    assert gateway.access_log[-1]["key_id"] == "2026-11"


def test_keys_of_one_route_may_have_different_schemes(tmp_path: Path) -> None:
    keys = {
        "hub": {"secret": SECRET, "auth": {"scheme": "github"}},
        "svix": {"secret": WHSEC, "auth": {"scheme": "standard-webhooks"}},
    }
    gateway = signed_gateway(tmp_path, secrets=keys)
    assert deliver(gateway, github(BODY, SECONDS), BODY)[0] == 200
    assert deliver(gateway, standard(BODY, SECONDS), BODY)[0] == 200
    assert [entry["key_id"] for entry in gateway.access_log] == ["hub", "svix"]
    as_github = by_hand(WHSEC, BODY).hexdigest()  # the key of one scheme in the form of another
    headers = [("X-Hub-Signature-256", f"sha256={as_github}")]
    assert deliver(gateway, headers, BODY) == UNAUTHORIZED


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ({"notBefore": "2999-01-01T00:00:00Z"}, "key_not_yet_valid"),
        ({"notAfter": "2001-01-01T00:00:00Z"}, "key_expired"),
    ],
)
def test_a_key_that_is_not_valid_now_signs_nothing(
    tmp_path: Path, times: dict[str, str], reason: str
) -> None:
    keys = {"timed": {"secret": SECRET, **times}, "other": "some-other-secret-here"}
    gateway = signed_gateway(tmp_path, secrets=keys, auth={"scheme": "github"})
    assert deliver(gateway, github(BODY, SECONDS), BODY) == UNAUTHORIZED
    (entry,) = gateway.access_log
    assert (entry["key_id"], entry["reason"]) == ("timed", reason)


def test_a_signature_key_is_presented_by_nobody() -> None:
    key = SignatureConfig("github", {}).key(SECRET)
    assert isinstance(key, SignatureKey)
    assert not key.matches(SECRET)
    assert SECRET not in repr([getattr(key, name, None) for name in dir(key)])
