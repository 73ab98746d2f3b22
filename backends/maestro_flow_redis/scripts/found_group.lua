-- Find a group, or create it while its store is being created. Runs before the epoch is known, so it has no parts.
--
-- KEYS[1]  the group
-- ARGV[1]  epoch of the catalog   ARGV[2]  group id   ARGV[3]  number of groups
-- ARGV[4]  1 while the store is being created; later, a missing group was lost, and must not be created again
-- reply    the group's epoch, or nil: it or a part of it is missing

local head = KEYS[1]
local log, entries, settled = head .. ':log', head .. ':entries', head .. ':settled'
local live, index, waiting = head .. ':live', head .. ':index', head .. ':waiting'
local there = redis.call('EXISTS', head, log, entries, live, index, waiting, settled)

if there == 0 and ARGV[4] == '1' then
  redis.call('HSET', head,
    'epoch', ARGV[1], 'generation', 0, 'owner_id', '', 'expires_at', '0',
    'sequence', ARGV[2], 'groups', ARGV[3])
  redis.call('XADD', log, '0-1', 'f', '')
  redis.call('XDEL', log, '0-1') -- a stream, unlike the others, may be empty
  redis.call('HSET', entries, '', '')
  redis.call('ZADD', live, 0, '')
  redis.call('ZADD', index, 0, '')
  redis.call('ZADD', waiting, 0, '')
  redis.call('ZADD', settled, '+inf', '')
elseif there ~= 7 then
  return false
end
return redis.call('HGET', head, 'epoch')
