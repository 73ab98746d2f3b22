-- The highest position of the group; an owner asks after its claim, never in it (PROTOCOL 10).
-- with: group
--
-- KEYS[1]  the group
-- reply    list of the one id `<position>-0`, empty when the log is

local last = redis.call('XREVRANGE', key('log'), '+', '-', 'COUNT', 1)
return last[1] and {last[1][1]} or {}
