"""The composition root and the console entry: what the command line is given.

What each of these tools is made of stands in `adapters.composition`; nothing here decides.
"""

from __future__ import annotations

import sys

from adapters import cli
from adapters.audit.audit_service import AuditService
from adapters.audit.export.cloud_events import write_cloud_events
from adapters.audit.export.ndjson import write_ndjson
from adapters.composition.asking_to_reload import ask_to_reload
from adapters.composition.check import check_configuration
from adapters.composition.checkpoints import configured_checkpoints, read_key_file
from adapters.composition.clock_and_ids import now
from adapters.composition.copies import back_up_store, copy_store_to, restore_store
from adapters.composition.core_dumps import forbid_core_dumps
from adapters.composition.explaining import explain_payload
from adapters.composition.gateway import serve
from adapters.composition.operators import write_store
from adapters.composition.own_files import own_files, spare_own_files
from adapters.composition.store_shards import store_shards
from adapters.composition.stores import (
    migrate_store,
    open_audit_log,
    open_configurations,
    open_refusals,
    read_store,
)
from adapters.webhooks.openapi.document import openapi_document


def main() -> int:
    """Run the command line and return its exit code."""
    forbid_core_dumps()  # APPSEC: before any command reads a secret
    out, err = cli.standard_streams()
    tools = cli.Dependencies(
        serve=serve,
        reload=ask_to_reload,
        clock=now,
        check=check_configuration,
        explain=explain_payload,
        read_store=read_store,
        write_store=write_store,
        migrate=migrate_store,
        back_up=back_up_store,
        copy_store=copy_store_to,
        restore_store=restore_store,
        open_audit_log=open_audit_log,
        serve_pages=_serve_pages,
        exports=cli.Exports(ndjson=write_ndjson, cloud_events=write_cloud_events),
        proving=AuditService(configured_checkpoints, read_key_file),
        open_refusals=open_refusals,
        open_configurations=open_configurations,
        own_files=own_files,
        spare_own_files=spare_own_files,
        openapi=openapi_document,
        shards=store_shards,
    )
    return cli.run(sys.argv[1:], tools, out=out, err=err)


def _serve_pages(wanted: cli.PagesOptions) -> int:
    # PERF: without Jinja2 and the pages a gateway starts 30 ms sooner, and is 2 MB smaller.
    from adapters.composition.pages import serve_pages  # noqa: PLC0415

    return serve_pages(wanted)


if __name__ == "__main__":
    sys.exit(main())
