from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.settings import PagesConfig, PagesLogin, Unresolved, read_config, resolve_login
from tests.settings.workbench import SECRET, advice_of, loaded, refused, route, with_routes, written


def with_pages(**fields: object) -> dict[str, object]:
    """Return a configuration with the auditor's pages."""
    return {"taskflow": {"audit": {"pages": fields}}}


def login(
    folder: Path, document: object, environ: Mapping[str, str] | None = None
) -> PagesLogin | Unresolved | None:
    """Return who may see the pages of a configuration."""
    config = read_config(written(folder, document), {})
    return resolve_login(config, environ or {})


def right(found: PagesLogin | Unresolved | None) -> PagesLogin:
    """Return a login that there is."""
    assert isinstance(found, PagesLogin)
    return found


def test_the_pages_have_no_password_unless_it_is_set(tmp_path: Path) -> None:
    pages = loaded(tmp_path, "{}").pages
    assert pages == PagesConfig(host="127.0.0.1", port=8081, user="auditor", password=None)
    assert login(tmp_path, "{}") is None


@pytest.mark.parametrize(
    ("path", "base_path"), [("/audit", "/audit"), ("/a/b.c/", "/a/b.c"), ("/", "")]
)
def test_the_pages_may_stand_below_a_path(tmp_path: Path, path: str, base_path: str) -> None:
    assert loaded(tmp_path, with_pages(basePath=path)).pages.base_path == base_path


@pytest.mark.parametrize(
    "path",
    ["audit", "//evil.example", "/a//b", "/a/../b", "/.", '/a"b', "/a?b", "/a b", "/ä", "/a//"],
)
def test_a_base_path_is_a_plain_path(tmp_path: Path, path: str) -> None:
    assert refused(tmp_path, with_pages(basePath=path)) == [
        "taskflow.audit.pages.basePath: expected a path like /audit, found another string"
    ]


def test_only_the_user_with_the_password_is_admitted(tmp_path: Path) -> None:
    pages = right(login(tmp_path, with_pages(user="grace", password=SECRET)))
    assert [
        pages.admits("grace", SECRET),
        pages.admits("Grace", SECRET),
        pages.admits("grace", f"{SECRET}."),
        pages.admits("", ""),
    ] == [True, False, False, False]


def test_a_user_beyond_ascii_is_sent_as_utf_8(tmp_path: Path) -> None:
    pages = right(login(tmp_path, with_pages(user="Zoë", password=SECRET)))
    assert pages.admits("Zoë".encode().decode("latin-1"), SECRET)
    assert not pages.admits("Zo\u0141", SECRET)


def test_the_password_may_be_kept_elsewhere(tmp_path: Path) -> None:
    document = with_pages(password="${AUDIT_PASSWORD}")
    pages = right(login(tmp_path, document, {"AUDIT_PASSWORD": SECRET}))
    assert pages.admits("auditor", SECRET)


def test_a_password_that_is_missing_stops_nothing_but_the_pages(tmp_path: Path) -> None:
    document = with_pages(password="${AUDIT_PASSWORD}")
    reason = "the environment variable AUDIT_PASSWORD is not set"
    assert login(tmp_path, document) == Unresolved(reason)
    assert loaded(tmp_path, document).skipped == ()


def test_a_routes_secret_should_not_open_the_pages(tmp_path: Path) -> None:
    audit = {"pages": {"password": SECRET}}
    document = with_routes({"zapier": route()}, taskflow={"audit": audit})
    assert advice_of(loaded(tmp_path, document)) == [
        (
            "taskflow.audit.pages.password: the secret is the same as in"
            " plugins.entries.webhooks.config.routes.zapier.secret"
        )
    ]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"host": "a b"},
            "host: expected an address or a host name, found a string with blanks",
        ),
        ({"port": -1}, "port: expected a whole number from 0 to 65535, found a smaller number"),
        ({"user": "a:b"}, "user: expected a name without a colon, found one with a colon"),
        ({"password": 1}, "password: expected a secret or a SecretRef, found a number"),
        (
            {"password": {"source": "env", "provider": "none", "id": "A"}},
            (
                'password: expected a provider of secrets.providers, found "none", which is'
                " not configured"
            ),
        ),
        (
            {"secret": "x"},
            (
                "secret: expected one of the keys host, port, user, password or basePath,"
                " found an unknown key"
            ),
        ),
    ],
)
def test_a_problem_is_named(tmp_path: Path, fields: dict[str, object], problem: str) -> None:
    assert refused(tmp_path, with_pages(**fields)) == [f"taskflow.audit.pages.{problem}"]


def test_a_password_in_a_file_that_all_can_read_is_advised_against(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(SECRET)
    (tmp_path / "password").chmod(0o644)
    providers = {"kept": {"source": "file", "path": "password", "mode": "singleValue"}}
    reference = {"source": "file", "provider": "kept", "id": "value"}
    document = {**with_pages(password=reference), "secrets": {"providers": providers}}
    assert "secrets.providers.kept.path: every user of this machine can read the file" in (
        advice_of(loaded(tmp_path, document))
    )
