"""What a gateway does beside answering: its jobs, its further stores, and reloads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from attrs import frozen

from adapters import cli
from adapters.audit.keys import Verifier
from adapters.composition.configurations import recording_configurations
from adapters.composition.jobs import Jobs, doing_jobs
from adapters.composition.metering import read_parts
from adapters.composition.readiness import Readiness
from adapters.composition.reloading import Reloads, Report, note_report
from adapters.composition.service_manager import notify_of_reload
from adapters.composition.webhooks import admission_table
from adapters.composition.writer import flows_of
from adapters.metrics import GatewayMetrics
from adapters.server import HttpServer
from adapters.settings import FIRST, Settings
from adapters.store import owners_of_shards
from adapters.webhooks.admission import Admission
from domain.application.ports import StoreUnavailable


@frozen(kw_only=True)
class Serving:
    """The parts of a gateway whose server is about to answer."""

    settings: Settings
    url: str
    metrics: GatewayMetrics
    ready: Readiness
    server: HttpServer
    admission: Admission

    @contextmanager
    def work(self, config: Path, verifiers: tuple[Verifier, ...] | None) -> Iterator[Reloads]:
        """Work beside the server, and return what reloads the settings from their file.

        `verifiers` are those of `doing_jobs`.
        """
        ready, url = self.ready, self.url
        with (
            doing_jobs(
                self.settings,
                ready.store,
                ready.writer.do_all,
                is_listening=ready.is_listening,
                verifiers=verifiers,
            ) as jobs,
            recording_configurations(url, self.settings) as record,
            self._shards(),
        ):
            ready.jobs = jobs
            read_parts(self.metrics, self.server, self.admission, ready)
            yield Reloads(
                config=config,
                url=url,
                settings=self.settings,
                swap=partial(self._swap, jobs),
                report=self._report,
                record=record,
            )

    @contextmanager
    def _shards(self) -> Iterator[None]:
        """Keep the further stores open, if there are any; refuse to leave them out."""
        shards = self.ready.shards
        if shards is not None:
            shards.is_listening = self.ready.is_listening
            with shards.serving():
                yield
            return
        try:
            names = owners_of_shards(self.ready.store).keys() - {FIRST}
        except StoreUnavailable as error:
            raise cli.CommandError(str(error)) from error
        if names:
            lacking = ", ".join(names)
            raise cli.CommandError(
                f"the store is the first of several: taskflow.store.shards lacks {lacking}"
            )
        yield

    def _swap(self, jobs: Jobs, settings: Settings) -> None:
        """Put other settings in force; whom they admit changes in one step."""
        shards, ready = self.ready.shards, self.ready
        table = admission_table(settings, shards or flows_of(ready.store, ready.writer))
        self.server.limit(settings.limits)
        self.admission.swap(table)
        jobs.follow(settings)
        if shards is not None:
            shards.follow(settings)

    def _report(self, report: Report) -> None:
        self.metrics.reload(report.outcome)
        notify_of_reload(report.outcome, report.sentence)
        note_report(self.ready.store, report)
