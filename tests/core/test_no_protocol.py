"""The domain knows no protocol: a status is that of a flow or a task, never one of HTTP."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from attrs import fields, has

import domain
from domain.history.refused_requests import RefusedRequest


def test_no_status_of_the_domain_is_a_number() -> None:
    modules = [import_module(m.name) for m in pkgutil.walk_packages(domain.__path__, "domain.")]
    held = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
    classes = {each for each in held if has(each)}
    assert RefusedRequest in classes
    named = ((each, field.name, field.type) for each in classes for field in fields(each))
    assert [each for each, *of in named if of == ["status", "int"]] == []
