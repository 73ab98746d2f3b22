-- Exclude programs below a version from claiming the group, and end its current lease (PROTOCOL 3, 27).
-- with: group
--
-- KEYS[1]  the group
-- ARGV[2]  the oldest version whose programs may claim it
-- reply    1, or nil: they are already excluded

if tonumber(redis.call('HGET', head, 'oldest_reader') or 0) >= tonumber(ARGV[2]) then
  return false
end
redis.call('HINCRBY', head, 'generation', 1)
redis.call('HSET', head, 'owner_id', '', 'expires_at', '0', 'oldest_reader', ARGV[2])
return 1
