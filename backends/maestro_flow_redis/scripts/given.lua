-- Runs of a group that are not marked as taken, oldest first (PROTOCOL 18).
-- with: catalog room runs
--
-- KEYS[1]  the catalog
-- ARGV[2]  group id   ARGV[3]  how many at most
-- reply    list of { flow id, RUN_FIELDS, body }

local first = string.format('%.0f', ARGV[2] * GROUP_SPAN)
local next_group = string.format('(%.0f', (ARGV[2] + 1) * GROUP_SPAN)
local runs, room = {}, REPLY_BYTES
for _, flow_id in ipairs(redis.call('ZRANGEBYSCORE', key('given'), first, next_group, 'LIMIT', 0, ARGV[3])) do
  local run = read_run(flow_id) or lost('run ' .. flow_id)
  run[#run + 1] = read_body(flow_id)
  runs[#runs + 1] = run
  room = room - #run[#run]
  if room <= 0 then
    break
  end
end
return runs
