-- Take a group that nobody holds: never held, released, or expired (PROTOCOL 3, 10). The old owner's commits are scripts
-- too, so one is either complete before this or refused after it.
-- with: group lease
--
-- KEYS[1]  the group
-- ARGV[2]  owner id   ARGV[3]  lease in seconds   ARGV[4]  the schema version that the owner's program knows
-- ARGV[5]  the owner's process
-- reply    the new generation, or nil if the group is held; if only programs of a later version may claim it, the oldest
--          of these versions as a negative number (PROTOCOL 27)

local there = redis.call('HMGET', head, 'owner_id', 'expires_at', 'oldest_reader', 'kept_for', 'kept_until')
local reader = tonumber(there[3] or 0)
if reader > tonumber(ARGV[4]) then
  return -reader
end
local now = tonumber(store_time())
if not may_claim(there[1], tonumber(there[2]), there[4], there[5], ARGV[2], now) then
  return false
end
local expires_at = string.format('%.17g', now + tonumber(ARGV[3]))
local generation = redis.call('HINCRBY', head, 'generation', 1)
redis.call('HSET', head, 'owner_id', ARGV[2], 'process', ARGV[5], 'expires_at', expires_at, 'kept_for', '')
return generation
