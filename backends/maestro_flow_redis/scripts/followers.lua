-- Part of the scripts that prune starts: an instance keeps its runs in order, and the first one knows the latest.

local function run_key(run, run_id)
  return key('run', run[2] .. '/' .. run[4] .. '/' .. string.format('%.0f', run_id))
end

-- The number of the latest run of the instance that a run belongs to (runs.lua).
local function latest_of(run)
  return tonumber(redis.call('HGET', run_key(run, 1), 'latest_run') or 1)
end
