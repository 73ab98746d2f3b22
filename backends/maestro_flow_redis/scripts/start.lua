-- Step (a) of a start: a number, a group and an answer for each request, all or nothing (PROTOCOL 18).
-- with: catalog index runs
--
-- KEYS[1]  the catalog
-- ARGV[2]  and all that follow: one request each, as a MessagePack map
--            workflow_id  request_id  group_id  body  parent  version (a number, or absent: the latest)
--            after: { instance, run } that a restart follows, or absent
-- reply    list of { is_fresh, flow id, RUN_FIELDS }, the body being that of the request; if nothing is written, the last
--          one is instead
--          { "conflict", flow id, RUN_FIELDS, body } of the run that the request has created, or
--          { "refused", latest version of the workflow, and, if it exists, flow id and RUN_FIELDS of the latest run of the
--          instance to restart }
--
-- The first run of an instance has the field `latest_run` once there are more.

local RESTART_APART_S = 1e-6 -- as storage/starts.py has it

local now = store_time()
local requests_seen = {} -- by workflow, request id: runs that this call creates
local latest_of = {} -- by workflow: its counters, including this call's runs
local latest_runs = {} -- by flow id of the first run of an instance: its latest run, if created by this call
local fresh = {}
local answers = {}

-- As maestro_flow/model/flow_id.py prints it.
local function flow_id_of(workflow_id, instance, run_id)
  return workflow_id .. '/' .. string.format('%.0f', instance) .. '/' .. string.format('%.0f', run_id)
end

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

-- The run of a request id and its body, or nothing.
local function run_of(request)
  local made = requests_seen[request.workflow_id][request.request_id]
  if made then
    return made, made.body
  end
  local flow_id = redis.call('HGET', key('requests', request.workflow_id), request.request_id)
  if flow_id then
    return read_run(flow_id) or lost('run ' .. flow_id), read_body(flow_id)
  end
end

-- Whether the run is what the request asks for. The group is not part of what the request id stands for.
local function is_same(request, run, body)
  local instance, run_id, is_there = tonumber(run[4]), tonumber(run[5]), nil
  if request.after then
    is_there = run_id > 1 and request.after[1] == instance and request.after[2] == run_id - 1
  else
    is_there = run_id == 1
  end
  return is_there and body == request.body and run[9] == request.parent and (not request.version or request.version == tonumber(run[3]))
end

-- The latest run of the instance that a restart is about, or nothing: it may have been pruned (forget_starts.lua).
local function latest_run(request, latest)
  local instance = request.after and request.after[1]
  if not instance or instance < 1 or instance > latest.instance then
    return nil
  end
  local first = flow_id_of(request.workflow_id, instance, 1)
  if latest_runs[first] then
    return latest_runs[first]
  end
  local run_id = redis.call('HGET', key('run', first), 'latest_run') or 1
  local flow_id = flow_id_of(request.workflow_id, instance, run_id)
  local run = read_run(flow_id)
  if not run and redis.call('HEXISTS', key('workflow', request.workflow_id), 'pruned') == 0 then
    lost('run ' .. flow_id)
  end
  return run
end

-- The run after ``followed``, or the first one of a new instance.
local function new_run(request, latest, followed, version)
  local instance, run_id, created_at = latest.instance + 1, 1, now
  if followed then
    instance, run_id = tonumber(followed[4]), tonumber(followed[5]) + 1
    local earliest = tonumber(followed[8]) + RESTART_APART_S
    if tonumber(now) < earliest then
      created_at = string.format('%.17g', earliest)
    end
  end
  latest.instance = math.max(latest.instance, instance)
  local flow_id = flow_id_of(request.workflow_id, instance, run_id)
  if redis.call('EXISTS', key('run', flow_id)) == 1 then
    lost('the counters of workflow ' .. request.workflow_id)
  end
  local run = {
    flow_id, request.workflow_id, version, string.format('%.0f', instance), run_id, request.group_id,
    request.request_id, created_at, request.parent,
  }
  run.body = request.body
  latest_runs[flow_id_of(request.workflow_id, instance, 1)] = run
  return run
end

for number = 2, #ARGV do
  local request = cmsgpack.unpack(ARGV[number])
  local latest = counters(request.workflow_id)
  local run, body = run_of(request)
  if run then
    if not is_same(request, run, body) then
      run[#run + 1] = body
      answers[#answers + 1] = {'conflict', unpack(run)}
      return answers
    end
    answers[#answers + 1] = {0, unpack(run)}
  else
    local followed = latest_run(request, latest)
    local version = request.version or followed and tonumber(followed[3]) or latest.version
    local can_follow = not request.after or followed and tonumber(followed[5]) == request.after[2]
    if not can_follow or version < 1 or version > latest.version then
      answers[#answers + 1] = {'refused', latest.version, unpack(followed or {})}
      return answers
    end
    run = new_run(request, latest, followed, version)
    requests_seen[request.workflow_id][request.request_id] = run
    fresh[#fresh + 1] = run
    answers[#answers + 1] = {1, unpack(run)}
  end
end

for _, run in ipairs(fresh) do
  local flow_id, workflow_id, instance, run_id, group_id, request_id = run[1], run[2], run[4], run[5], run[6], run[7]
  local words = {'body', run.body}
  for number, name in ipairs(RUN_FIELDS) do
    words[#words + 1] = name
    words[#words + 1] = run[number + 1]
  end
  redis.call('HSET', key('run', flow_id), unpack(words))
  redis.call('HSET', key('requests', workflow_id), request_id, flow_id)
  if run_id == 1 then
    redis.call('HSET', key('workflow', workflow_id), 'instance', instance)
  else
    redis.call('HSET', key('run', flow_id_of(workflow_id, instance, 1)), 'latest_run', run_id)
  end
  redis.call('ZADD', key('given'), group_id * GROUP_SPAN + redis.call('HINCRBY', head, 'starts', 1), flow_id)
  index_run(true, workflow_id, run[9], tonumber(instance), 'CREATED', tonumber(run[8]), flow_id)
end
return answers
