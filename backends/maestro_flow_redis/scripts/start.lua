-- Step (a) of a start: a number, a group and an answer for each request, all or nothing (PROTOCOL 18).
-- with: index runs
--
-- KEYS[1]  the catalog
-- ARGV[2]  and all that follow: one request each, as a MessagePack map
--            workflow_id  request_id  group_id  params  version (a number, or absent: the latest)
-- reply    list of { is_fresh, flow id, RUN_FIELDS }; the last one may be instead, and then nothing is written,
--          { "missing", latest version of the workflow } or { "conflict", flow id, RUN_FIELDS of what is there }

local now = store_time()
local requests_seen = {} -- by workflow, request id: runs that this call makes
local latest_of = {} -- by workflow: { latest version, latest instance }, with what this call makes
local fresh = {}
local answers = {}

local function counters(workflow_id)
  if not latest_of[workflow_id] then
    local there = redis.call('HMGET', key('workflow', workflow_id), 'version', 'instance')
    latest_of[workflow_id] = {version = tonumber(there[1] or 0), instance = tonumber(there[2] or 0)}
    requests_seen[workflow_id] = {}
  end
  return latest_of[workflow_id]
end

local function run_of(request)
  local made = requests_seen[request.workflow_id][request.request_id]
  if made then
    return made
  end
  local flow_id = redis.call('HGET', key('requests', request.workflow_id), request.request_id)
  return flow_id and read_run(flow_id)
end

-- The request id was used for another run than is asked for now; the group is no part of it.
local function is_other(request, run)
  return run[8] ~= request.params or (request.version and tostring(request.version) ~= tostring(run[3]))
end

local function new_run(request, latest, version)
  latest.instance = latest.instance + 1
  local instance = string.format('%.0f', latest.instance)
  local flow_id = request.workflow_id .. '/' .. instance .. '/1'
  return {flow_id, request.workflow_id, version, instance, 1, request.group_id, request.request_id, request.params, now}
end

for number = 2, #ARGV do
  local request = cmsgpack.unpack(ARGV[number])
  local latest = counters(request.workflow_id)
  local run = run_of(request)
  if run then
    if is_other(request, run) then
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
  local words = {}
  for number, name in ipairs(RUN_FIELDS) do
    words[#words + 1] = name
    words[#words + 1] = run[number + 1]
  end
  redis.call('HSET', key('run', flow_id), unpack(words))
  redis.call('HSET', key('requests', workflow_id), request_id, flow_id)
  redis.call('HSET', key('workflow', workflow_id), 'instance', instance)
  redis.call('ZADD', key('given', group_id), redis.call('HINCRBY', head, 'starts', 1), flow_id)
  index_run(true, workflow_id, tonumber(instance), 'CREATED', tonumber(now), flow_id)
end
return answers
