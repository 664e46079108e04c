"""What the server does in one step, in Lua; its clock is the only one that counts.

A window is a number that expires. A place is a member of a sorted set whose score is the moment at
which it is free again, if the gateway that took it says nothing any more.
"""

from __future__ import annotations

from typing import Final

_PLACE: Final = """
local function place(key, token, lease, limit)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  if redis.call('ZCARD', key) >= limit then return 0 end
  redis.call('ZADD', key, now + lease, token)
  redis.call('PEXPIRE', key, lease)
  return 1
end
"""

HIT: Final = f"""{_PLACE}
local requests, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local left = redis.call('PTTL', KEYS[1])
if used >= requests then return {{0, 0, left, 0}} end
if used == 0 then
  redis.call('SET', KEYS[1], 1, 'PX', window)
  left = window
else
  redis.call('INCR', KEYS[1])
end
return {{1, requests - used - 1, left, place(KEYS[2], ARGV[3], ARGV[4], tonumber(ARGV[5]))}}
"""
"""Counts a request, and takes a place for it if it passes: whether it does, how many more do, for
how many milliseconds, and whether there was a place."""

TAKE: Final = f"{_PLACE} return place(KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]))"
"""Takes a place, if there is one."""

RENEW: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
"""Keeps a place that is still taken."""
