"""Texts that stand where a secret should be: what a template, a mask or an example leaves behind.

APPSEC: such a text is known to everybody who knows the template, so it never opens a route.
"""

from __future__ import annotations

import re
from typing import Final

_VERB: Final = "(?:put|insert|enter|set|replace[-_ ]?with)"
_NOUN: Final = "(?:webhook|hook|api|shared|own|secret|token|key|password|long|random|string)"
_WHOLE: Final = (
    r"[$#%@]*\{\{.*\}\}",  # {{ X }} of Jinja, Helm and Mustache; ${{ X }} of CI systems
    r"[$#%@]+\{.*\}#?",  # ${X:-y}, ${env:X}, $${X}, #{X}#, %{X}, @{X}
    r"\$+\(.*\)",  # $(X) of Kubernetes, Make and the shell
    r"`(?:aws|bw|cat|echo|gcloud|op|pass|vault) .*`",
    r"\$+[A-Z_][A-Z0-9_]*|\$(?i:env):\w+",
    r"\$[A-Za-z_]+",  # NOTE: no digits, as a lower-case password may begin with a dollar
    r"\{[A-Za-z_][A-Za-z_.]*\}",  # NOTE: no digits, as a GUID may stand in braces
    r"\{(?:\$|env[.:]|file[.:]|vault[.:])[^{}]*\}|\{cipher\}.*",  # of Caddy, OpenCode and Spring
    r"\{%.*%\}|<%.*%>|<\?.*\?>",
    r"<+[A-Za-z][\w .:/-]*>+",
    r"\[+[A-Za-z][A-Za-z_ .:/-]*\]+|\(\([\w.:/-]+\)\)",  # NOTE: no digits in the first of them
    r"%+[A-Za-z_]\w*%+|%\(\w+\)s",
    r"@+[A-Za-z_]\w*@+|@Microsoft\.KeyVault\(.*\)",
    r"__[A-Za-z][\w.-]*__",
    r"(?:env|file|secrets?|op|bws?|pass|vault|doppler|keyvault|akv|ssm|awssm|gcpsm|ref\+\w+)://.*",
    r"env:[A-Za-z_]\w*|vault:.+[#/].+|arn:aws:(?:secretsmanager|ssm):.*|ENC(?:\[.*\]|\(.*\))",
    r"(?:process\.env|os\.environ|ENV)(?:\.\w+|\[.*\])|!(?:vault|secret|env|env_var) .*",
    r"(?:/var)?/run/secrets/.+",
    r"\*{3,}|.*[•●]{3,}.*|(?i:[(\[<*]*(?:redacted|filtered|masked|hidden)[)\]>*]*)",
    r"(?i:(?:todo|fixme)(?::.*)?|tb[ad]|placeholder|null|undefined|none|nil)",
    r"(?i:(?:please[-_ ]?)?(?:change|replace)[-_ ]?(?:me|this|it)(?:[-_ ](?:now|please))?\d{,4}!*)",
    rf"(?i:(?:{_VERB}[-_ ]?)?your(?:[-_ ]?{_NOUN})+(?:[-_ ]?here)?)",
    rf"(?i:{_VERB}(?:[-_ ]?(?:an?|the|my))?(?:[-_ ]?{_NOUN})+(?:[-_ ]?here)?)",
)
_WITHIN: Final = (
    r"__OPENCLAW_REDACTED__",
    r"\$\{[A-Z_][A-Z0-9_]+\}",
    r"\{\{\s*[.\w-]+\s*\}\}",
)
_ANY: Final = re.compile("|".join(f"(?:{pattern})" for pattern in _WHOLE), re.DOTALL)
_INSIDE: Final = re.compile("|".join(_WITHIN))
_QUOTED: Final = re.compile(
    r"""(["'`])(.+)\1|[\u2018-\u201e\xab\xbb](.+)[\u2018-\u201e\xab\xbb]""", re.DOTALL
)


def is_placeholder(text: str) -> bool:
    """Return whether a trimmed text is visibly no secret; quotes around it do not matter."""
    bare = _QUOTED.sub(r"\2\3", text) if is_quoted(text) else text
    return bool(_ANY.fullmatch(bare) or _ANY.fullmatch(text) or _INSIDE.search(bare))


def is_quoted(text: str) -> bool:
    """Return whether a text has quotes at both ends, as an env file or an editor leaves them."""
    return bool(_QUOTED.fullmatch(text))
