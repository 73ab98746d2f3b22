-- Part of the scripts that deal with starts: what a start has made of a run, as one hash, in the catalog.

local RUN_FIELDS = {
  'workflow_id', 'version', 'instance_id', 'run_id', 'group_id', 'request_id', 'created_at',
}

-- { flow id, RUN_FIELDS... }; false where there is no such run. The params, which may be long, are read apart.
local function read_run(flow_id)
  local run = redis.call('HMGET', key('run', flow_id), unpack(RUN_FIELDS))
  return run[1] and {flow_id, unpack(run)}
end

local function read_params(flow_id)
  return redis.call('HGET', key('run', flow_id), 'params')
end
