-- Store a definition as the next version, unless it is the latest one already.
--
-- KEYS[1]  the catalog
-- ARGV[2]  workflow id   ARGV[3]  body
-- reply    its version, dense from 1

local workflow = key('workflow', ARGV[2])
local latest = redis.call('HGET', workflow, 'version') or '0'
if redis.call('HGET', key('definition', latest, ARGV[2]), 'body') == ARGV[3] then
  return tonumber(latest)
end
local now = store_time()
local version = redis.call('HINCRBY', workflow, 'version', 1)
redis.call('HSET', key('definition', version, ARGV[2]), 'body', ARGV[3], 'created_at', now)
return version
