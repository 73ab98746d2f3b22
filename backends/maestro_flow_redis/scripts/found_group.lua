-- Find a group, or make it while its store is being founded. It runs before the epoch is known, so it has no other part.
--
-- KEYS[1]  the group
-- ARGV[1]  epoch of the catalog   ARGV[2]  group id   ARGV[3]  number of groups
-- ARGV[4]  1 while the store is being founded: later, a group that is not there was lost, and must not be made anew
-- reply    the group's epoch, or nil

if ARGV[4] == '1' and redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1],
    'epoch', ARGV[1], 'generation', 0, 'owner_id', '', 'expires_at', '0',
    'sequence', ARGV[2], 'groups', ARGV[3])
end
return redis.call('HGET', KEYS[1], 'epoch')
