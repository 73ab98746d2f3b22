-- Part of the scripts about the catalog: the keys that are made with it and are never empty, each for a first member
-- that nobody reads. So one that is missing was lost, and is not taken for one that has nothing in it.
--
--   index     sorted set the run index (index.lua), of runs that their group has no entry of
--   given     sorted set flow ids of pending starts, by group and then by age (GROUP_SPAN)
--
-- And for each workflow the hashes `workflow:<id>` (counters), `requests:<id>` (request id -> flow id) and
-- `definition:<version>:<id>`, for each run that a start has made a hash `run:<flow id>`.

local GROUP_SPAN = 2 ^ 40 -- starts before the scores of two groups meet; a double counts on to 2 ^ 53

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

-- { body, created_at } of a version that there is.
local function read_definition(workflow_id, version)
  local there = redis.call('HMGET', key('definition', string.format('%.0f', version), workflow_id), 'body', 'created_at')
  return there[1] and there or lost('version ' .. version .. ' of workflow ' .. workflow_id)
end
