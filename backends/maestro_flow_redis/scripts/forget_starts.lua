-- Remove ended runs from the catalog, before their groups remove the rest (PROTOCOL 28).
-- with: catalog index runs followers
--
-- KEYS[1]  the catalog
-- ARGV[2]  flow id   ARGV[3]  the number of the latest run of its instance, as the caller knows it; and so on, in pairs
-- reply    for each 1: the catalog has nothing of it now; or 0: it must stay, because its start is not acknowledged, an
--          earlier run of its instance still exists, or the instance has a new run since
--
-- The first run of an instance keeps `latest_run` until the last one is removed. A workflow from which anything was
-- removed has the field `pruned`, and its requests have an extra field: so missing items are not mistaken for lost ones.

local function may_go(run, latest)
  if redis.call('ZSCORE', key('given'), run[1]) or latest_of(run) ~= latest then
    return false
  end
  local run_id = tonumber(run[5])
  return run_id == 1 or redis.call('HEXISTS', run_key(run, run_id - 1), 'workflow_id') == 0
end

local function forget(run, latest)
  redis.call('HSET', key('workflow', run[2]), 'pruned', 1)
  redis.call('HSET', key('requests', run[2]), '\0', '')
  index_run(false, run[2], run[9], tonumber(run[4]), 'CREATED', tonumber(run[8]), run[1])
  redis.call('HDEL', key('requests', run[2]), run[7])
  if tonumber(run[5]) == latest then
    redis.call('DEL', run_key(run, latest), run_key(run, 1))
  elseif tonumber(run[5]) == 1 then
    redis.call('HDEL', run_key(run, 1), 'body', 'params', unpack(RUN_FIELDS))
  else
    redis.call('DEL', run_key(run, tonumber(run[5])))
  end
end

local answers = {}
for number = 2, #ARGV, 2 do
  local run, latest = read_run(ARGV[number]), tonumber(ARGV[number + 1])
  local goes = not run or may_go(run, latest)
  if run and goes then
    forget(run, latest)
  end
  answers[number / 2] = goes and 1 or 0
end
return answers
