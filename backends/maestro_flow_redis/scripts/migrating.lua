-- Take the migration lock of the store, or extend it.
-- with: catalog
--
-- KEYS[1]  the catalog
-- ARGV[2]  id of the caller, random   ARGV[3]  the version to migrate to   ARGV[4]  for how long, in seconds
-- reply    1 if the caller has it; nil if another process has it, or the store already has that version

local there = redis.call('HMGET', head, 'migrator', 'migrator_until', 'schema_version')
local now = tonumber(store_time())
local is_free = not there[1] or there[1] == ARGV[2] or tonumber(there[2]) <= now
if not is_free or tonumber(there[3]) >= tonumber(ARGV[3]) then
  return false
end
redis.call('HSET', head, 'migrator', ARGV[2], 'migrator_until', string.format('%.17g', now + tonumber(ARGV[4])))
return 1
