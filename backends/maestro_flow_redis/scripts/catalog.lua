-- Part of the scripts about the catalog: the keys that are created with it. Each has a sentinel as its first member, so it
-- is never empty: a missing key was lost, and cannot be mistaken for an empty one.
--
--   index     sorted set the run index (index.lua), of runs whose group has no entry yet
--   given     sorted set flow ids of pending starts, by group and then by age (GROUP_SPAN)
--
-- In addition, for each workflow the hashes `workflow:<id>` (counters), `requests:<id>` (request id -> flow id) and
-- `definition:<version>:<id>`, and for each run created by a start a hash `run:<flow id>`.

local GROUP_SPAN = 2 ^ 40 -- how many starts fit before the scores of two groups meet; a double is exact up to 2 ^ 53

if redis.call('EXISTS', key('index'), key('given')) ~= 2 then
  lost('a part')
end

-- { latest version, latest instance } of a workflow; 0 where there is none.
local function read_counters(workflow_id)
  local there = redis.call('HMGET', key('workflow', workflow_id), 'version', 'instance')
  local version, instance = tonumber(there[1] or 0), tonumber(there[2] or 0)
  if version == 0 and redis.call('EXISTS', key('definition', 1, workflow_id)) == 1 then
    lost('workflow ' .. workflow_id)
  end
  return {version = version, instance = instance}
end

-- { body, created_at } of an existing version.
local function read_definition(workflow_id, version)
  local there = redis.call('HMGET', key('definition', string.format('%.0f', version), workflow_id), 'body', 'created_at')
  return there[1] and there or lost('version ' .. version .. ' of workflow ' .. workflow_id)
end
