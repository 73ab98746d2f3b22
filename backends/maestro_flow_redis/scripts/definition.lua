-- One version of a workflow, or the latest.
-- with: catalog
--
-- KEYS[1]  the catalog
-- ARGV[2]  workflow id   ARGV[3]  version, or empty
-- reply    { version, body, created_at }, or nil

local latest = read_counters(ARGV[2]).version
local version = ARGV[3] == '' and latest or tonumber(ARGV[3])
if version < 1 or version > latest then
  return false
end
local there = read_definition(ARGV[2], version)
return {version, there[1], there[2]}
