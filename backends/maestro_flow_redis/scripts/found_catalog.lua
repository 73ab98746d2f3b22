-- Find the store of a namespace, or create its catalog on request. Runs before the epoch is known, so it has no parts.
--
-- KEYS[1]  the catalog
-- ARGV[1]  a new epoch, random   ARGV[2]  schema version   ARGV[3]  oldest reader   ARGV[4]  number of groups
-- ARGV[5]  1 to create it
-- reply    { epoch, schema version, oldest reader, number of groups, 1 once all groups have been created }, or nil: a part
--          of it is missing, or { }: there is none

local head, index, given = KEYS[1], KEYS[1] .. ':index', KEYS[1] .. ':given'
local there = redis.call('EXISTS', head, index, given)

if there == 0 and ARGV[5] ~= '1' then
  return {}
elseif there == 0 then
  redis.call('HSET', head,
    'epoch', ARGV[1], 'schema_version', ARGV[2], 'oldest_reader', ARGV[3], 'groups', ARGV[4], 'is_founded', 0)
  redis.call('ZADD', index, 0, '')
  redis.call('ZADD', given, -1, '')
elseif there ~= 3 then
  return false
end
return redis.call('HMGET', head, 'epoch', 'schema_version', 'oldest_reader', 'groups', 'is_founded')
