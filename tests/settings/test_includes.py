"""Included files are read as OpenClaw documents it, and each message names the right file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.settings import Settings, SettingsError, load_settings
from adapters.settings.includes import MAX_FILES, MAX_NESTING
from tests.settings.workbench import ROUTES, SECRET, route, the_route

NESTED = "{plugins: {entries: {webhooks: {config: {routes: %s}}}}}"


def files(folder: Path, **texts: object) -> Path:
    """Write files, `__` in a name standing for a folder; return the path of `gateway.json5`."""
    for name, content in texts.items():
        path = folder / f"{name.replace('__', '/')}.json5"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        path.chmod(0o600)
    return folder / "gateway.json5"


def load(folder: Path, environ: Mapping[str, str] | None = None, /, **texts: object) -> Settings:
    """Load a configuration of several files."""
    return load_settings(files(folder, **texts), environ or {})


def problems(folder: Path, environ: Mapping[str, str] | None = None, /, **texts: object) -> str:
    """Load a configuration that is refused; return what is printed, without the folder."""
    with pytest.raises(SettingsError) as caught:
        load(folder, environ, **texts)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    "gateway",
    [
        '{$include: "./whole.json5"}',
        '{plugins: {$include: "plugins.json5"}}',
        '{plugins: {entries: {webhooks: {$include: "sub/webhooks.json5"}}}}',
        NESTED % '{$include: "./routes.json5"}',
        NESTED % '{zapier: {$include: ["routes/zapier.json5"]}}',
        NESTED % '{zapier: {$include: "./sub/up.json5"}}',
    ],
)
def test_a_file_may_be_included_at_any_depth(tmp_path: Path, gateway: str) -> None:
    zapier = {"zapier": route()}
    settings = load(
        tmp_path,
        gateway=gateway,
        whole='{"plugins": {$include: "./plugins.json5"}}',
        plugins='{entries: {"webhooks": {$include: "./sub/webhooks.json5"}}}',
        sub__webhooks='{config: {routes: {$include: "../routes.json5"}}}',
        sub__up='{$include: "../routes/zapier.json5"}',
        routes=zapier,
        routes__zapier=route(),
    )
    assert the_route(settings).identify(SECRET, 0) == "default"
    assert settings.file == tmp_path / "gateway.json5"


def test_files_merge_in_their_order_and_the_keys_beside_last(tmp_path: Path) -> None:
    """Objects by key, arrays joined, of anything else the last."""
    settings = load(
        tmp_path,
        gateway="""{
          $include: ["one.json5", "two.json5"],
          taskflow: {server: {port: 3}},
          gateway: {trustedProxies: ["10.0.0.3"]},
        }""",
        one={
            "taskflow": {"server": {"port": 1, "threads": 1, "connections": 1}},
            "gateway": {"trustedProxies": ["10.0.0.1"]},
        },
        two={
            "taskflow": {"server": {"port": 2, "threads": 2}},
            "gateway": {"trustedProxies": ["10.0.0.2"]},
        },
    )
    server = settings.server
    assert (server.port, server.threads, server.connections) == (3, 2, 1)
    hosts = [str(network.network_address) for network in settings.trusted_proxies]
    assert hosts == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_a_file_may_be_any_value(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        gateway="""{gateway: {trustedProxies: [{$include: "one.json5"}]},
          plugins: {deny: {$include: ["none.json5", "list.json5"]}}}""",
        one='"10.0.0.1"',
        none="[]",
        list='["webhooks"]',
    )
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.1/32"]
    assert settings.advice[0].path == "plugins.deny[0]"


def test_relative_paths_of_an_included_file_start_at_the_configurations_folder(
    tmp_path: Path,
) -> None:
    settings = load(
        tmp_path,
        gateway='{taskflow: {$include: "sub/taskflow.json5"}}',
        sub__taskflow={"store": {"url": "sqlite:///flows.db"}, "audit": {"checkpoints": "c"}},
    )
    assert settings.store.path == tmp_path / "flows.db"
    assert settings.checkpoints.file == tmp_path / "c"


def test_what_only_openclaw_reads_is_not_opened(tmp_path: Path) -> None:
    gateway = """{agents: {$include: "./nowhere.json5"}, gateway: {auth: {$include: 5}},
      plugins: {entries: {other: {$include: "../../etc/passwd"}}}}"""
    assert load(tmp_path, gateway=gateway).routes == ()


def test_a_problem_in_an_included_file_is_named_with_its_file_and_line(tmp_path: Path) -> None:
    assert problems(
        tmp_path,
        gateway="""{taskflow: {server: {port: -1}},
          plugins: {entries: {webhooks: {config: {routes: {
            $include: ["a.json5", "b.json5"],
            own: {sessionKey: "s", secret: "a good and long secret", path: "/a"},
          }}}}}}""",
        a='{\n\n  a: {sessionKey: 5, secret: "a good and long secret", path: "/a"}}',
        b='{\n  b: {sessionKey: "s"},\n  own: {\n    enabled: "no",\n  }}',
    ).split("\n") == [
        (
            "gateway.json5:1: taskflow.server.port: "
            "expected a whole number from 0 to 65535, found a smaller number"
        ),
        (
            f"gateway.json5:4: {ROUTES}.own.path: expected a path that no other enabled route has, "
            f"found /a, which is the path of {ROUTES}.a.path (a.json5:3)"
        ),
        f"a.json5:3: {ROUTES}.a.sessionKey: expected a non-empty string, found a number",
        (
            f"b.json5:2: {ROUTES}.b.secret: expected a secret, a SecretRef, "
            "or an object secrets with some of them, found nothing"
        ),
        f"b.json5:4: {ROUTES}.own.enabled: expected true or false, found a string",
    ]


def test_a_skipped_route_and_advice_name_the_included_file(tmp_path: Path) -> None:
    routes = {"off": route(secret="${UNSET}"), "on": route()}
    path = files(tmp_path, gateway=NESTED % '{$include: "routes.json5"}', routes=routes)
    (tmp_path / "routes.json5").chmod(0o644)
    settings = load_settings(path, {})
    assert str(settings.skipped[0]).startswith(f"{tmp_path}/routes.json5:4: {ROUTES}.off.secret:")
    (advice,) = settings.advice
    assert str(advice).startswith(f"{tmp_path}/routes.json5:8: {ROUTES}.on.secret: the secret is")
    assert "where every user of this machine can read it" in advice.sentence


HERE = "gateway.json5:2: taskflow.$include"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (
            '"nowhere.json5"',
            "expected a readable file, found an error: No such file or directory (nowhere.json5)",
        ),
        ('""', "expected a regular file, found something else ("),
        ('"sub"', "expected a regular file, found something else (sub)"),
        ('"a\\0b"', "expected a readable file, found a name that leads nowhere"),
        ("5", "expected the name of a file, or an array of names, found something else"),
        ("null", "expected the name of a file, or an array of names, found something else"),
        ('["list.json5", {}]', "expected the name of a file, or an array of names, found"),
        ('"gateway.json5"', "expected a file that does not include itself, found gateway.json5 ->"),
        ('"list.json5", server: {}', "expected a file with an object, as other keys stand beside"),
        ('"../x.json5"', "expected a file in the configuration's folder, or in one of OPENCLAW_"),
        ('"/etc/passwd"', "expected a file in the configuration's folder, or in one of OPENCLAW_"),
        ('"link.json5"', "expected a file in the configuration's folder, or in one of OPENCLAW_"),
    ],
)
def test_an_include_that_cannot_be_followed_stops_the_start(
    tmp_path: Path, name: str, problem: str
) -> None:
    (tmp_path / "link.json5").symlink_to("/etc/passwd")
    said = problems(tmp_path, gateway=f"{{\ntaskflow: {{$include: {name}}}}}", list="[]", sub__x="")
    assert said.startswith(f"{HERE}: {problem}")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{\n a: oops}", "x.json5:2: expected a value, found something else"),
        ("", "x.json5:1: expected an object, found nothing"),
        ("{server: 1,\n server: 2}", "x.json5:2: taskflow.server: expected each key once"),
        ("{\nserver: {\n$include: 1, $include: 2}}", "x.json5:3: taskflow.server.$include:"),
    ],
)
def test_an_included_file_that_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    gateway = '{taskflow: {$include: "x.json5"}}'
    assert problems(tmp_path, gateway=gateway, x=text).startswith(problem)


def test_an_include_given_twice_stops_the_start(tmp_path: Path) -> None:
    gateway = '{plugins: {$include: "x.json5",\n $include: "y.json5"}}'
    said = problems(tmp_path, gateway=gateway, x="{}", y="{}")
    assert said.startswith("gateway.json5:2: plugins.$include: expected each key once")


def test_a_circle_of_files_is_named(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        gateway='{$include: "a.json5"}',
        a='{taskflow: {$include: "b.json5"}}',
        b='{\n$include: "./a.json5"}',
    )
    assert said == (
        "b.json5:2: taskflow.$include: expected a file that does not include itself, "
        "found a.json5 -> b.json5 -> a.json5"
    )


def test_a_file_may_be_included_twice_but_not_in_itself(tmp_path: Path) -> None:
    gateway = NESTED % '{a: {$include: "r.json5", path: "/a"}, b: {$include: "r.json5"}}'
    assert len(load(tmp_path, gateway=gateway, r=route()).routes) == 2


@pytest.mark.parametrize(("depth", "is_too_deep"), [(MAX_NESTING, False), (MAX_NESTING + 1, True)])
def test_ten_files_may_include_one_another(
    tmp_path: Path, depth: int, *, is_too_deep: bool
) -> None:
    chain = {f"f{i}": f'{{$include: "f{i + 1}.json5"}}' for i in range(1, depth)}
    last = {f"f{depth}": "{taskflow: {server: {port: 7}}}"}
    gateway = {"gateway": '{$include: "f1.json5"}'}
    if is_too_deep:
        said = problems(tmp_path, **gateway, **chain, **last)
        assert said.endswith("expected at most 10 includes in one another, found more")
    else:
        assert load(tmp_path, **gateway, **chain, **last).server.port == 7


def test_files_that_multiply_are_counted(tmp_path: Path) -> None:
    chain = {f"f{i}": {"$include": [f"f{i + 1}.json5"] * 7} for i in range(1, 4)}
    said = problems(tmp_path, gateway='{$include: "f1.json5"}', **chain, f4="{}")
    assert f"expected at most {MAX_FILES} included files, found more" in said


def test_a_deep_place_cannot_be_made_deeper_without_end(tmp_path: Path) -> None:
    deep = "{a:" * 60 + '{$include: "%s.json5"}' + "}" * 60
    chain = {f"f{i}": deep % f"f{i + 1}" for i in range(1, 9)}
    said = problems(tmp_path, gateway='{taskflow: {$include: "f1.json5"}}', **chain, f9="{}")
    assert "expected at most 64 levels of nesting" in said


def test_further_folders_may_be_named_in_the_environment(tmp_path: Path) -> None:
    home, shared = tmp_path / "home", tmp_path / "shared"
    for folder in (home, shared):
        files(folder, x={"server": {"port": 7}})
    gateway = '{taskflow: {$include: "../%s/x.json5"}}'
    environ = {"HOME": str(home), "OPENCLAW_INCLUDE_ROOTS": f" {shared}:~/::relative"}
    main = tmp_path / "main"
    for name in ("home", "shared"):
        assert load(main, environ, gateway=gateway % name).server.port == 7
    assert "expected a file in the configuration's folder" in problems(
        main, {"OPENCLAW_INCLUDE_ROOTS": str(shared)}, gateway=gateway % "home"
    )


def test_a_folder_of_links_as_kubernetes_mounts_it_is_read(tmp_path: Path) -> None:
    """The files are links to a folder of a date, which is a link's target itself."""
    real = tmp_path / "..2026_01_01"
    files(real, gateway='{taskflow: {$include: "x.json5"}}', x={"server": {"port": 7}})
    (tmp_path / "..data").symlink_to(real.name)
    for name in ("gateway.json5", "x.json5"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    assert load_settings(tmp_path / "gateway.json5", {}).server.port == 7


def test_no_problem_shows_what_an_included_file_holds(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        gateway=NESTED % '{zapier: {$include: ["a.json5", "b.json5"], extra: 1}}',
        a='{secret: "canary of the mine"}',
        b='["canary of the mine"]',
    )
    assert "canary" not in said
