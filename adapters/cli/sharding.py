"""A command over the stores of a configuration that has several, each under its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, assert_never, cast

from attrs import Factory, evolve, field, frozen
from rich.console import RenderableType

from adapters.cli.command import ShardScope, StoreCommand
from adapters.cli.dependencies import CommandError, Dependencies, StoreShard
from adapters.cli.failing import fail
from adapters.cli.terminal import Terminal
from domain.application.ports import StoreUnavailable
from domain.flow.ids import FlowId

_OF_ONE_LOG: Final = ("checkpoints", "held", "cursor", "from_position", "to_position")


def run_on_shards(command: StoreCommand, given: Dependencies, terminal: Terminal) -> int:
    """Run a command on the stores that it is about, and return its exit code, or the gravest."""
    if command.scope is ShardScope.FIRST and command.shard is not None:
        raise CommandError("all that is kept in the first store: leave out --shard")
    if command.config is None or command.database is not None or command.scope is ShardScope.FIRST:
        if command.shard is not None:
            raise CommandError("--shard names a store of --config FILE: leave out --database")
        return command.run(given, terminal)
    shards = given.shards(command.config)
    if command.shard is not None:
        return _run_on(named_shard(shards, command.shard), command, given, terminal)
    if len(shards) <= 1:
        return command.run(given, terminal)
    flow: FlowId | None = getattr(command, "flow", None)
    if flow is not None:
        return _run_on(_shard_with(flow, shards, given), command, given, terminal)
    match command.scope:
        case ShardScope.EACH:
            _refuse_what_is_of_one(command)
            return _run_on_each(shards, command, given, terminal)
        case ShardScope.ITSELF:
            return command.run(given, terminal)
        case ShardScope.ONE | ShardScope.FLOW:
            names = ", ".join(shard.name for shard in shards)
            raise CommandError(f"say which store: --shard NAME, one of {names}")
        case _:
            assert_never(command.scope)


def named_shard(shards: Sequence[StoreShard], name: str) -> StoreShard:
    """Return the shard of a name.

    Raises:
        CommandError: if there is none.
    """
    found = next((shard for shard in shards if shard.name == name), None)
    if found is None:
        names = ", ".join(shard.name for shard in shards)
        raise CommandError(f"--shard: expected one of {names}, found {name!r}")
    return found


def _run_on(
    shard: StoreShard, command: StoreCommand, given: Dependencies, terminal: Terminal
) -> int:
    command = evolve(command, database=shard.url, shard=shard.name)
    return command.run(evolve(given, proving=shard.proving), terminal)


def _shard_with(flow: FlowId, shards: Sequence[StoreShard], given: Dependencies) -> StoreShard:
    """Return the shard that has a flow; the first if none has it.

    Raises:
        CommandError: if one of them cannot be read, and no other one has the flow.
    """
    unread: list[str] = []
    for shard in shards:
        try:
            with given.read_store(None, shard.url) as store:
                if store.load(flow) is not None:
                    return shard
        except (CommandError, StoreUnavailable) as error:
            unread.append(f"shard {shard.name}: {error}")
    if unread:
        raise CommandError("\n".join(unread))
    return shards[0]


def _run_on_each(
    shards: Sequence[StoreShard], command: StoreCommand, given: Dependencies, terminal: Terminal
) -> int:
    """Run it on each; one that fails keeps no other one from its turn."""
    documents: dict[str, object] = {}
    codes: list[int] = []
    commands = [_of_file(command, shard) for shard in shards]
    for shard, each in zip(shards, commands, strict=True):
        part = ShardTerminal(terminal.out, terminal.err, shard.name, documents)
        try:
            codes.append(_run_on(shard, each, given, part))
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - as that of any command
            codes.append(fail(error, part))
    if documents:
        terminal.dump({"shards": documents})
    return max(codes)


def _refuse_what_is_of_one(command: StoreCommand) -> None:
    """Refuse what is of one log, and would be found false, or skip something, in another."""
    for name in _OF_ONE_LOG:
        if getattr(command, name, None) not in {None, (), 1}:  # every log has a first position
            option = f"--{name.removesuffix('_position')}"
            raise CommandError(f"{option} is of one store: say which, --shard NAME")


def _of_file(command: StoreCommand, shard: StoreShard) -> StoreCommand:
    """Return a command that writes a file, each shard's with its name in that of the file."""
    file: Path | None = getattr(command, "file", None)
    if file is None:
        return command
    if file == Path("-"):
        raise CommandError("several stores are no one stream: name a file, or --shard NAME")
    own = file.with_name(f"{file.stem}.{shard.name}{file.suffix}")
    return cast("StoreCommand", evolve(cast("Any", command), file=own))


@frozen
class ShardTerminal(Terminal):
    """The output of a command on one of several stores."""

    name: str
    documents: dict[str, object] = field(factory=dict)
    _titles: Iterator[str] = field(
        init=False, default=Factory(lambda self: iter([f"Shard {self.name}:"]), takes_self=True)
    )

    def show(self, *parts: RenderableType) -> None:
        """Write tables and texts behind the name."""
        self._name_once()
        super().show(*parts)

    def say(self, sentence: str) -> None:
        """Write a sentence behind the name."""
        self._name_once()
        super().say(sentence)

    def dump(self, document: Mapping[str, object]) -> None:
        """Keep a document, for the one document of all."""
        self.documents[self.name] = document

    def dump_line(self, document: Mapping[str, object]) -> None:
        """Write a document with the name in it."""
        super().dump_line({"shard": self.name, **document})

    def complain(self, sentences: str) -> None:
        """Write what is wrong, each line behind the name."""
        lines = (f"shard {self.name}: {line}" for line in sentences.splitlines())
        super().complain("\n".join(lines))

    def _name_once(self) -> None:
        for title in self._titles:
            super().say(title)
