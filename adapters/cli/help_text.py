"""What `--help` says of each command, made for 80 columns."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from adapters.cli.exits import ALL_CODES, exit_codes


@frozen(kw_only=True)
class HelpPage:
    """The texts of one command: a line in its group's list, and what stands around its options."""

    help: str
    description: str
    epilog: str


STORE_TROUBLE: Final = "wrong arguments or configuration, no such store, a damaged store"
WRITE_TROUBLE: Final = f"""{STORE_TROUBLE},
     or another process, such as a gateway, writes to it"""

WHICH_STORE: Final = """\
One of these is needed; if both are given, URL it is. URL is
sqlite:///relative.db (seen from here) or sqlite:////absolute.db."""

TOP: Final = """\
Serves TaskFlows over authenticated HTTP, and looks after their store."""

TOP_EPILOG: Final = f"""\
examples:
  taskflow check --config gateway.json5
  taskflow serve --config gateway.json5 --port 8080
  taskflow flows list --config gateway.json5 --status waiting
  taskflow flows show 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --database sqlite:///var/taskflow.db --history

Results go to standard output, everything else to standard error. Tables are
for people; with --json a command prints one JSON document, its names those of
the HTTP API, its times milliseconds since 1970.

{ALL_CODES}"""

SERVE: Final = HelpPage(
    help="serve the gateway until it is told to stop",
    description="""\
Serves the webhook routes of a configuration. Prints

  listening on http://HOST:PORT

when it is ready. SIGTERM, SIGQUIT or Ctrl-C stops it cleanly: requests in
flight are answered first, unless Ctrl-C comes again. SIGHUP has the settings
read again, see `taskflow reload`; other signals are logged and ignored. With
--wait the next gateway may start meanwhile: it waits until the last one has
given its store back. Routes whose secrets are missing are left out, each with
one warning; try `taskflow check` before.""",
    epilog="""\
examples:
  taskflow serve --config gateway.json5
  taskflow serve --config gateway.json5 --host 0.0.0.0 --port 8080 --json
  taskflow serve --config gateway.json5 --database sqlite:////srv/flows.db
  taskflow serve --config gateway.json5 --wait 60

"""
    + exit_codes(
        done="stopped; everything that was accepted was answered",
        findings="stopped before all requests in flight were answered",
        trouble="wrong arguments or configuration, the port or the store is in use",
    ),
)

CHECK: Final = HelpPage(
    help="say what a configuration would serve, and what is wrong with it",
    description="""\
Reads a configuration as `serve` does and reports the routes that would be
served, those that would be skipped and why, and advice, with line numbers.
Secrets are resolved, and never printed. Nothing is served or written.""",
    epilog="""\
examples:
  taskflow check --config gateway.json5
  taskflow check --config gateway.json5 --strict --json | jq .advice

"""
    + exit_codes(
        done="every enabled route would be served",
        findings="a route would be skipped; with --strict also: there is advice",
        trouble="wrong arguments, or the gateway would not start",
    ),
)

RELOAD: Final = HelpPage(
    help="have a running gateway read its settings and secrets again",
    description="""\
Sends SIGHUP to the gateway that writes to a store, and waits for the outcome.
Routes, keys, limits, trusted proxies and the like are swapped as one; if
anything is wrong, the running ones stay. No request is cut or turned away.
Files and commands with secrets are read again; variables of the environment
are those that the gateway was started with. A change of the store or of
taskflow.server needs a restart, and is named.""",
    epilog="""\
examples:
  taskflow reload --config gateway.json5
  taskflow reload --database sqlite:////srv/flows.db

"""
    + exit_codes(
        done="the new settings are in force",
        findings="refused: the running settings stay, and standard error says why",
        trouble="no gateway runs, or it does not answer; the file cannot be read",
    ),
)

FLOWS: Final = HelpPage(
    help="look at flows, and cancel them",
    description="""\
Looks at the flows of all owners, also beside a running gateway, and cancels
or sweeps them when no gateway runs.""",
    epilog="""\
examples:
  taskflow flows list --config gateway.json5
  taskflow flows show --help""",
)

LIST: Final = HelpPage(
    help="list flows, newest first",
    description="""\
Lists flows of all owners, or of one, newest first. Safe beside a running
gateway: the store is opened read-only. A list that is cut ends with the cursor
for the next one; in JSON it is `nextCursor`.""",
    epilog="""\
examples:
  taskflow flows list --config gateway.json5 --owner agent:main:main
  taskflow flows list --database sqlite:///var/taskflow.db --status blocked
  taskflow flows list --config gateway.json5 --limit 1000 --cursor 4711 --json

"""
    + exit_codes(done="listed, even if there is none", findings="not used", trouble=STORE_TROUBLE),
)

SHOW: Final = HelpPage(
    help="show one flow with its tasks, and its history",
    description="""\
Shows all that is known of a flow and its child tasks, its owner included. Safe
beside a running gateway: the store is opened read-only. With --history also
each event: its version, the revision after it, when, what, and by whom.""",
    epilog="""\
examples:
  taskflow flows show 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5 --history
  taskflow flows show 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5 --version 3 --json

"""
    + exit_codes(
        done="shown",
        findings="there is no such flow, or it has no such version",
        trouble=STORE_TROUBLE,
    ),
)

CANCEL: Final = HelpPage(
    help="cancel a flow, now or when its last child has ended",
    description="""\
Cancels a flow of whichever owner, recorded as done by an operator. While
children of it are active the cancellation stays pending, and takes effect with
the end of the last one. With --give-up-children they are marked as lost, in
the operator's name and however recent their news, so that it takes effect now.
Only one process may write to a store: stop the gateway first, or let a caller
send `cancel_flow`.""",
    epilog="""\
examples:
  taskflow flows cancel 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5
  taskflow flows cancel 2f1d7b6e-5d6f-4b6f-8a43-0d6d2a9c1f00 \\
      --config gateway.json5 --give-up-children

"""
    + exit_codes(
        done="cancelled, or pending because children are active",
        findings="refused: there is no such flow, or it has already ended",
        trouble=WRITE_TROUBLE,
    ),
)

SWEEP: Final = HelpPage(
    help="give up child tasks that nobody hears of",
    description="""\
Marks the active children of flows with a cancel intent as lost if they were
silent for too long, so that no cancellation stays pending for ever. A gateway
does this by itself every few seconds, and counts only the time in which it
listened. This is for a store whose gateway does not run: here silence is the
time on the clock of this machine since the last news, the time in which no
gateway ran included. Whoever runs it says that no child can have had more to
report. A child whose news is from the future, as a clock was ahead, is left
alone: see `flows cancel --give-up-children`. Only one process may write to a
store: stop the gateway first.""",
    epilog="""\
examples:
  taskflow flows sweep --config gateway.json5
  taskflow flows sweep --database sqlite:///var/taskflow.db --lost-after 60

"""
    + exit_codes(
        done="swept, even if there was nothing to give up",
        findings="not used",
        trouble=WRITE_TROUBLE,
    ),
)

STORE: Final = HelpPage(
    help="back up, restore and look after the store",
    description="""\
Copies a store, also beside a running gateway; and puts it back from a copy, or
makes its derived rows again, when no gateway runs.""",
    epilog="""\
examples:
  taskflow store backup monday.db --config gateway.json5
  taskflow store restore monday.db --config gateway.json5
  taskflow store rebuild --config gateway.json5""",
)

REBUILD: Final = HelpPage(
    help="make the index and the snapshots again from the events",
    description="""\
Folds every flow again from its events and mends each derived row that differs:
snapshots, the owners' index, request keys. The events are only read. All is
one transaction; interrupted, it changes nothing. Only one process may write to
a store: stop the gateway first. A healthy store has nothing to mend.""",
    epilog="""\
examples:
  taskflow store rebuild --config gateway.json5
  taskflow store rebuild --database sqlite:///var/taskflow.db --json

"""
    + exit_codes(
        done="all rows agree with the events now; says what had to change",
        findings="not used",
        trouble=WRITE_TROUBLE,
    ),
)
