"""What happens inside Redis in one step: it happens whole, or not at all."""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class Script(NamedTuple):
    """A Lua program and the name Redis keeps it under."""

    text: str
    sha: str


def _script(*parts: str) -> Script:
    text = "\n".join(parts)
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


# Whose message it is decides: if another consumer was given it meanwhile, our late word changes nothing.
_FORGET = """
local function forget(unacked, index, held, tags)
  if #tags == 0 then return {} end
  local ours = {}
  for i, queue in ipairs(redis.call('HMGET', held, unpack(tags))) do
    if queue then ours[#ours + 1] = tags[i] end
  end
  if #ours > 0 then
    redis.call('HDEL', held, unpack(ours))
    redis.call('HDEL', unacked, unpack(ours))
    redis.call('ZREM', index, unpack(ours))
  end
  return ours
end
"""

_NOW = """
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end
"""

# KEYS: unacked, unacked_index, held.  ARGV: acknowledged tags.
SETTLE = _script(_FORGET, "return #forget(KEYS[1], KEYS[2], KEYS[3], ARGV)")

# KEYS: unacked, unacked_index, held, consumers, then the lists of the queues, a priority step at a time.
# ARGV: consumer, lease (s), room, a number above those of the new tags, count of queues, for each 1 (keep until
# acknowledged) or 0, their names, then acknowledged tags.
# Returns [number of the queue, tag, payload]...; nil if the consumer is not registered (any more).
#
# The lists are read with LLEN when they are empty: so Redis' client tracking tells the caller when one changes.
RESERVE = _script(
    _FORGET,
    _NOW,
    """
local unacked, index, held = KEYS[1], KEYS[2], KEYS[3]
local consumer, left, above, queues = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if #ARGV > 6 + queues then forget(unacked, index, held, {unpack(ARGV, 7 + queues)}) end
if not redis.call('ZSCORE', KEYS[4], consumer) then return nil end

-- Whole seconds: Redis keeps a short sorted set as a list, in which it would parse each fraction at each step.
local lease = math.ceil(now() + tonumber(ARGV[2]))
local name = string.sub(consumer, 1, 16) .. '.%012d'
local taken, entries, scores, holds = {}, {}, {}, {}

-- A tag of our own: two copies of one message have one tag, and kombu would lose a copy here.
-- A payload is stored as it came, never decoded: that is slow, and Lua would change numbers and empty lists.
local function keep(queue, payload, rest)
  -- Counted down: a short sorted set is a list, and where the next one comes first it is put in at once.
  above = above - 1
  local tag = string.format(name, above)
  entries[#entries + 1] = tag
  entries[#entries + 1] = '[' .. payload .. rest
  scores[#scores + 1] = lease
  scores[#scores + 1] = tag
  holds[#holds + 1] = tag
  holds[#holds + 1] = queue
  return tag
end

local function take(number, list, count)
  local got = redis.call('RPOP', list, count) or {}
  local kept, queue = string.sub(ARGV[6], number, number) == '1', ARGV[6 + number]
  -- Where kombu would restore it to: the default exchange leads to the queue of that name.
  local rest = ', "", ' .. cjson.encode(queue) .. ']'
  for _, payload in ipairs(got) do
    taken[#taken + 1] = number - 1
    taken[#taken + 1] = kept and keep(queue, payload, rest) or ''
    taken[#taken + 1] = payload
  end
  left = left - #got
  return #got
end

for first = 5, #KEYS, queues do
  local empty, number = 0, 0
  while left > 0 and empty < queues do
    number = number % queues + 1
    local got = take(number, KEYS[first + number - 1], queues == 1 and left or 1)
    empty = got == 0 and empty + 1 or 0
  end
end
if #scores > 0 then
  redis.call('HSET', unacked, unpack(entries))
  redis.call('ZADD', index, unpack(scores))
  redis.call('HSET', held, unpack(holds))
end
if left > 0 then
  for i = 5, #KEYS do redis.call('LLEN', KEYS[i]) end
end
return taken
""",
)

# KEYS: unacked, unacked_index, held, unreadable.  ARGV: tag or nothing, payload.
PUT_ASIDE = _script(
    _FORGET,
    """
if ARGV[1] ~= '' and #forget(KEYS[1], KEYS[2], KEYS[3], {ARGV[1]}) == 0 then return end
redis.call('LPUSH', KEYS[4], ARGV[2])
redis.call('LTRIM', KEYS[4], 0, 999)
""",
)

# KEYS: consumers, identities, unacked_index, held.  ARGV: consumer, lease (s), identity, our host.
# Returns [1 if the consumer was known, [consumer, identity, 1 if its lease is over]... of those to look after].
BEAT = _script(
    _NOW,
    """
-- A write that needs no memory: after it, a Redis that is full lets the others of this script pass.
redis.call('PERSIST', KEYS[1])
local at = now()
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], at + tonumber(ARGV[2]), ARGV[1])
if not known then redis.call('HSET', KEYS[2], ARGV[1], ARGV[3]) end
-- Plain kombu workers restore what has an old score: ours always lies ahead, however long a task runs.
local lease = math.ceil(at + tonumber(ARGV[2]))
for _, tag in ipairs(redis.call('HKEYS', KEYS[4])) do redis.call('ZADD', KEYS[3], 'XX', lease, tag) end
local others, here = {}, ARGV[4] .. '|'
local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
  local identity = redis.call('HGET', KEYS[2], all[i]) or ''
  local overdue = tonumber(all[i + 1]) < at
  if all[i] ~= ARGV[1] and (overdue or string.sub(identity, 1, #here) == here) then
    others[#others + 1] = {all[i], identity, overdue and 1 or 0}
  end
end
return {known and 1 or 0, others}
""",
)

_STILL_OVERDUE = """
local function beats_again(consumers, consumer, only_overdue)
  local lease = only_overdue == '1' and redis.call('ZSCORE', consumers, consumer)
  return lease and tonumber(lease) > now()
end
"""

# KEYS: unacked, unacked_index, held, consumers.
# ARGV: consumer, 1 (only if its lease is over) or 0, RPUSH or LPUSH, then [tag, list, payload]...; no list: drop it.
GIVE_BACK = _script(
    _FORGET,
    _NOW,
    _STILL_OVERDUE,
    """
if beats_again(KEYS[4], ARGV[1], ARGV[2]) then return 0 end
local given = 0
for i = 4, #ARGV, 3 do
  if #forget(KEYS[1], KEYS[2], KEYS[3], {ARGV[i]}) == 1 and ARGV[i + 1] ~= '' then
    redis.call(ARGV[3], ARGV[i + 1], ARGV[i + 2])
    given = given + 1
  end
end
return given
""",
)

# KEYS: held, consumers, identities.  ARGV: consumer, 1 (only if its lease is over) or 0.
RETIRE = _script(
    _NOW,
    _STILL_OVERDUE,
    """
if redis.call('EXISTS', KEYS[1]) == 1 or beats_again(KEYS[2], ARGV[1], ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
return 1
""",
)

# KEYS: unacked_index, consumers.  ARGV: visibility timeout (s), prefix of the held keys.
# Returns tags whose visibility timeout is over and which no consumer of ours holds.
INVISIBLE = _script(
    _NOW,
    """
local tags = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now() - tonumber(ARGV[1]), 'LIMIT', 0, 100)
local found, consumers = {}, #tags > 0 and redis.call('ZRANGE', KEYS[2], 0, -1) or {}
for _, tag in ipairs(tags) do
  local held = false
  for _, consumer in ipairs(consumers) do
    held = held or redis.call('HEXISTS', ARGV[2] .. consumer, tag) == 1
  end
  if not held then found[#found + 1] = tag end
end
return found
""",
)

# KEYS: consumers, then the lists of one queue.  ARGV: prefix of the held keys, queue.
DEPTH = _script("""
local depth = 0
for i = 2, #KEYS do depth = depth + redis.call('LLEN', KEYS[i]) end
for _, consumer in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  for _, queue in ipairs(redis.call('HVALS', ARGV[1] .. consumer)) do
    if queue == ARGV[2] then depth = depth + 1 end
  end
end
return depth
""")
