-- The highest position of the group; an owner asks after its claim, never in it (PROTOCOL 10).
-- with: group
--
-- KEYS[1]  the group
-- reply    { the id `<position>-0`, or empty, the position up to which the log was pruned, or nil }

local last = redis.call('XREVRANGE', key('log'), '+', '-', 'COUNT', 1)
return {last[1] and last[1][1] or '', redis.call('HGET', head, 'pruned_through')}
