-- Part of the scripts about starts: a run created by a start, as one hash in the catalog.

local RUN_FIELDS = {
  'workflow_id', 'version', 'instance_id', 'run_id', 'group_id', 'request_id', 'created_at', 'parent',
}

-- { flow id, RUN_FIELDS... }; false if it does not exist. The body, which may be long, is read separately.
local function read_run(flow_id)
  local run = redis.call('HMGET', key('run', flow_id), unpack(RUN_FIELDS))
  run[8] = run[8] or '' -- schema 2 knew no parents
  return run[1] and {flow_id, unpack(run)}
end

-- A program of schema 1 created runs with params only, and still does so while it has the store open.
local function read_body(flow_id)
  local there = redis.call('HMGET', key('run', flow_id), 'body', 'params')
  if there[1] or there[2] == '{}' then
    return there[1] or there[2]
  end
  return there[2] and '{"params":' .. there[2] .. '}' or lost('the body of ' .. flow_id)
end
