"""From any payload to one action: what a route's `map` says, compiled once and applied to each.

Nothing here knows Falcon, the store or a clock: headers and bytes in, a value out.
"""
