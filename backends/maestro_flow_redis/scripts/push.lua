-- Store a definition as the next version, unless it equals the latest one.
-- with: catalog
--
-- KEYS[1]  the catalog
-- ARGV[2]  workflow id   ARGV[3]  body
-- reply    its version, dense from 1

local latest = read_counters(ARGV[2]).version
if latest > 0 and read_definition(ARGV[2], latest)[1] == ARGV[3] then
  return latest
end
local now = store_time()
local version = redis.call('HINCRBY', key('workflow', ARGV[2]), 'version', 1)
redis.call('HSET', key('definition', version, ARGV[2]), 'body', ARGV[3], 'created_at', now)
return version
