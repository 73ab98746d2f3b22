-- Drop tombstones that were settled before a time, a bounded number of them (PROTOCOL 16).
-- with: group
--
-- KEYS[1]  the group
-- ARGV[2]  seconds since the epoch   ARGV[3]  how many at most
-- reply    how many were dropped

local old = redis.call('ZRANGEBYSCORE', key('settled'), '-inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
for _, message_id in ipairs(old) do
  redis.call('DEL', key('message', message_id))
  redis.call('ZREM', key('settled'), message_id)
end
return #old
