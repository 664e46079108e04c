"""The names of a recording, and the ids that stand for them in this replay."""

import re
from collections.abc import Callable, Mapping

from attrs import evolve, field, frozen

PLACEHOLDER = re.compile(r"\$\{(?P<name>[^}|+]+)(?:\|(?P<filter>\w+))?(?:\+(?P<days>\d+)d)?\}")
QUOTED_TIME = re.compile(r'"(\$\{now[^}]*\})"')
DAY_MS = 86_400_000
FILTERS: Mapping[str | None, Callable[[str], str]] = {
    None: lambda text: text,
    "upper": lambda text: text.upper(),
    "first13": lambda text: text[:13],
}


@frozen
class Bindings:
    """Which id each name stands for, which ids were seen at all, and which names have none.

    `missing` gives, for a name that our answer could not bind, the deviation that is why.
    """

    ids: Mapping[str, str] = field(factory=dict)
    seen: frozenset[str] = frozenset()
    missing: Mapping[str, str] = field(factory=dict)

    def render(self, text: str, now_ms: int) -> str:
        """Put ids and times in the place of the names; a missing id becomes one nobody has."""

        def put(match: re.Match[str]) -> str:
            if match["name"] == "now":
                return str(now_ms + int(match["days"] or 0) * DAY_MS)
            return self.id_of(match["name"], match["filter"])

        return PLACEHOLDER.sub(put, QUOTED_TIME.sub(r"\1", text))

    def id_of(self, name: str, transform: str | None) -> str:
        """Give the id of a name, changed by one of the recording's filters."""
        return FILTERS[transform](self.ids.get(name, f"missing-{name}"))

    def bind(self, found: Mapping[str, str]) -> "Bindings":
        """Bind names that an answer showed."""
        return evolve(
            self,
            ids={**self.ids, **found},
            seen=self.seen | frozenset(found.values()),
            missing={name: why for name, why in self.missing.items() if name not in found},
        )

    def forget(self, names: frozenset[str]) -> "Bindings":
        """Let names go, so that the next answer binds them anew."""
        return evolve(self, ids={k: v for k, v in self.ids.items() if k not in names})

    def miss(self, names: frozenset[str], why: str) -> "Bindings":
        """Note that names have no id in this replay because of a deviation."""
        gone = self.forget(names)
        return evolve(gone, missing={**gone.missing, **dict.fromkeys(names, why)})

    def why_missing(self, text: str) -> str | None:
        """Give the deviation because of which a text names something that does not exist."""
        names = (match["name"] for match in PLACEHOLDER.finditer(text))
        return next((self.missing[name] for name in names if name in self.missing), None)
