"""JSON values that the reference changes and we keep (D12, D16): what was sent, put back.

The reference reads every number as a double, orders keys that look like integers first, and
drops `__proto__`. Where a recorded `stateJson` or `waitJson` is what that makes of the value
that was sent, or that the flow is known to have, we expect the value itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define

from tests.contract.bindings import Bindings
from tests.contract.comparison import Exactly, Id, same_to_the_order
from tests.contract.ledger import Ledger

FIELDS = ("stateJson", "waitJson")
MAGIC_KEY = "__proto__"


@define
class Restoring:
    """Puts values back into a recorded template; `why` says which deviation that was."""

    asked: Mapping[str, Any]
    ledger: Ledger
    bindings: Bindings
    why: str | None = None

    def restored(self, template: object) -> object:
        """Give the template with the values that we keep."""
        match template:
            case dict() if "flowId" in template:
                return {key: self._field(template, key) for key in template}
            case dict():
                return {key: self.restored(value) for key, value in template.items()}
            case list():
                return [self.restored(item) for item in template]
            case _:
                return template

    def _field(self, view: dict[str, Any], key: str) -> object:
        if key not in FIELDS:
            return view[key]
        kept = as_kept_by_the_reference(view[key])
        for known in self._known(view, key):
            if same_to_the_order(as_kept_by_the_reference(known), kept):
                return self._put_back(view[key], known)
        return view[key]

    def _known(self, view: dict[str, Any], key: str) -> Iterator[object]:
        """Give the values that the flow may have: the one sent, and the one that we showed last."""
        if key in self.asked:
            yield self.asked[key]
        flow_id = view["flowId"]
        shown = self.bindings.ids.get(flow_id.name) if isinstance(flow_id, Id) else flow_id
        flow = self.ledger.flows.get(str(shown))
        if flow and key in flow.view:
            yield flow.view[key]

    def _put_back(self, recorded: object, known: object) -> object:
        if same_to_the_order(recorded, known):
            return recorded
        self.why = "D16" if _has_magic_key(known) else "D12"
        return Exactly(known)


def as_kept_by_the_reference(value: object) -> object:
    """Change a JSON value as the reference does."""
    match value:
        case bool():
            return value
        case int() | float():
            return _double(value)
        case list():
            return [as_kept_by_the_reference(item) for item in value]
        case dict():
            return _reordered({k: as_kept_by_the_reference(v) for k, v in value.items()})
        case _:
            return value


def _double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf")


def _reordered(value: dict[str, object]) -> dict[str, object]:
    numeric = sorted((key for key in value if _is_index(key)), key=int)
    others = [key for key in value if key not in numeric and key != MAGIC_KEY]
    return {key: value[key] for key in (*numeric, *others)}


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and str(int(key)) == key and int(key) < 2**32 - 1


def _has_magic_key(value: object) -> bool:
    match value:
        case dict():
            return MAGIC_KEY in value or any(map(_has_magic_key, value.values()))
        case list():
            return any(map(_has_magic_key, value))
        case _:
            return False
