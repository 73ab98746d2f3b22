-- One version of a workflow, or the latest.
--
-- KEYS[1]  the catalog
-- ARGV[2]  workflow id   ARGV[3]  version, or empty
-- reply    { version, body, created_at }, or nil

local version = ARGV[3]
if version == '' then
  version = redis.call('HGET', key('workflow', ARGV[2]), 'version') or '0'
end
local there = redis.call('HMGET', key('definition', version, ARGV[2]), 'body', 'created_at')
return there[1] and {version, there[1], there[2]}
