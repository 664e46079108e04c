"""The wire: HTTP requests become commands on an owner's handle, outcomes become envelopes.

One request, in the order of the modules: `admission` (with `routes`, `client`, `limits`,
`auth`), `strict_json`, `actions` (with `schemas`, `fields`), the domain, `outcomes` (with
`views`), `responses`. `resource` is the list of these steps, `wsgi` the application around it.
"""
