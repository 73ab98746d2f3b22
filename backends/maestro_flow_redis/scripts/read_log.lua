-- Records of the group beyond a position, in order of position (PROTOCOL 7).
--
-- KEYS[1]  the group
-- ARGV[2]  position   ARGV[3]  how many records at most
-- reply    list of { flow id, revision, record }

local page = redis.call('XRANGE', key('log'), '(' .. ARGV[2] .. '-0', '+', 'COUNT', ARGV[3])
local records = {}
for number, item in ipairs(page) do
  local flow_id, revision = item[2][2], item[2][4]
  records[number] = {flow_id, revision, redis.call('LINDEX', key('flow', flow_id), revision - 1)}
end
return records
