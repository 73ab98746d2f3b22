-- Extend a lease that is still ours, expired or not, and look at the group (PROTOCOL 13).
-- with: group lease
--
-- KEYS[1]  the group
-- ARGV[2]  owner id   ARGV[3]  generation of its lease, or empty: only look   ARGV[4]  lease in seconds
-- reply    { now, is renewed, the owner may claim it, has messages, id of its holder }; the middle ones are 0 or 1

local there = redis.call('HMGET', head, 'owner_id', 'generation', 'expires_at', 'kept_for', 'kept_until')
local owner_id, expires_at = there[1], tonumber(there[3])
local now = store_time()
local is_renewed = owner_id == ARGV[2] and there[2] == ARGV[3]
local has_messages = redis.call('ZCARD', key('waiting')) > 1 -- the first member is the sentinel
if is_renewed then
  expires_at = tonumber(now) + tonumber(ARGV[4])
  redis.call('HSET', head, 'expires_at', string.format('%.17g', expires_at))
end
local is_free = may_claim(owner_id, expires_at, there[4], there[5], ARGV[2], tonumber(now))
return {now, is_renewed and 1 or 0, is_free and 1 or 0, has_messages and 1 or 0, owner_id}
