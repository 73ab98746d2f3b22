-- Let no program claim the group that knows less than a version, and end the lease of whoever holds it (PROTOCOL 3, 27).
-- with: group
--
-- KEYS[1]  the group
-- ARGV[2]  the oldest version whose programs may claim it
-- reply    1, or nil: it is so already

if tonumber(redis.call('HGET', head, 'oldest_reader') or 0) >= tonumber(ARGV[2]) then
  return false
end
redis.call('HINCRBY', head, 'generation', 1)
redis.call('HSET', head, 'owner_id', '', 'expires_at', '0', 'oldest_reader', ARGV[2])
return 1
