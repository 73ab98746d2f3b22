-- A page of the group's live flows, by flow id, with all their records (PROTOCOL 10).
--
-- KEYS[1]  the group
-- ARGV[2]  the flow id before the page, or empty   ARGV[3]  how many flows at most
-- reply    list of { flow id, entry, list of records from revision 1 on }

local first = ARGV[2] == '' and '-' or '(' .. ARGV[2]
local page = redis.call('ZRANGEBYLEX', key('live'), first, '+', 'LIMIT', 0, ARGV[3])
local flows = {}
for number, flow_id in ipairs(page) do
  local entry = redis.call('HGET', key('entries'), flow_id)
  flows[number] = {flow_id, entry, redis.call('LRANGE', key('flow', flow_id), 0, -1)}
end
return flows
