-- Step (a) of a start: a number, a group and an answer for each request, all or nothing (PROTOCOL 18).
-- with: catalog index runs
--
-- KEYS[1]  the catalog
-- ARGV[2]  and all that follow: one request each, as a MessagePack map
--            workflow_id  request_id  group_id  params  version (a number, or absent: the latest)
-- reply    list of { is_fresh, flow id, RUN_FIELDS }, the params being those of the request; the last one may be
--          instead, and then nothing is written,
--          { "missing", latest version of the workflow } or { "conflict", flow id, RUN_FIELDS, params of what is there }

local now = store_time()
local requests_seen = {} -- by workflow, request id: runs that this call makes
local latest_of = {} -- by workflow: its counters, with what this call makes
local fresh = {}
local answers = {}

local function counters(workflow_id)
  if not latest_of[workflow_id] then
    latest_of[workflow_id] = read_counters(workflow_id)
    requests_seen[workflow_id] = {}
    if latest_of[workflow_id].instance > 0 and redis.call('EXISTS', key('requests', workflow_id)) == 0 then
      lost('the requests of workflow ' .. workflow_id)
    end
  end
  return latest_of[workflow_id]
end

-- The run of a request id and its params, or nothing.
local function run_of(request)
  local made = requests_seen[request.workflow_id][request.request_id]
  if made then
    return made, made.params
  end
  local flow_id = redis.call('HGET', key('requests', request.workflow_id), request.request_id)
  if flow_id then
    return read_run(flow_id) or lost('run ' .. flow_id), read_params(flow_id)
  end
end

local function new_run(request, latest, version)
  latest.instance = latest.instance + 1
  local instance = string.format('%.0f', latest.instance)
  local flow_id = request.workflow_id .. '/' .. instance .. '/1'
  if redis.call('EXISTS', key('run', flow_id)) == 1 then
    lost('the counters of workflow ' .. request.workflow_id)
  end
  local run = {flow_id, request.workflow_id, version, instance, 1, request.group_id, request.request_id, now}
  run.params = request.params
  return run
end

for number = 2, #ARGV do
  local request = cmsgpack.unpack(ARGV[number])
  local latest = counters(request.workflow_id)
  local run, params = run_of(request)
  if run then
    -- The group is no part of what the request id stands for.
    if params ~= request.params or (request.version and request.version ~= tonumber(run[3])) then
      run[#run + 1] = params
      answers[#answers + 1] = {'conflict', unpack(run)}
      return answers
    end
    answers[#answers + 1] = {0, unpack(run)}
  else
    local version = request.version or latest.version
    if version < 1 or version > latest.version then
      answers[#answers + 1] = {'missing', latest.version}
      return answers
    end
    run = new_run(request, latest, version)
    requests_seen[request.workflow_id][request.request_id] = run
    fresh[#fresh + 1] = run
    answers[#answers + 1] = {1, unpack(run)}
  end
end

for _, run in ipairs(fresh) do
  local flow_id, workflow_id, instance, group_id, request_id = run[1], run[2], run[4], run[6], run[7]
  local words = {'params', run.params}
  for number, name in ipairs(RUN_FIELDS) do
    words[#words + 1] = name
    words[#words + 1] = run[number + 1]
  end
  redis.call('HSET', key('run', flow_id), unpack(words))
  redis.call('HSET', key('requests', workflow_id), request_id, flow_id)
  redis.call('HSET', key('workflow', workflow_id), 'instance', instance)
  redis.call('ZADD', key('given'), group_id * GROUP_SPAN + redis.call('HINCRBY', head, 'starts', 1), flow_id)
  index_run(true, workflow_id, tonumber(instance), 'CREATED', tonumber(now), flow_id)
end
return answers
