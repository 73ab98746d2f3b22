-- Records of the group beyond a position, in order of position (PROTOCOL 7).
-- with: group reply_limit
--
-- KEYS[1]  the group
-- ARGV[2]  position   ARGV[3]  how many records at most
-- reply    { the position up to which the log was pruned, or nil, list of { flow id, revision, record } }

local records, left = {}, REPLY_BYTES
for _, item in ipairs(redis.call('XRANGE', key('log'), '(' .. ARGV[2] .. '-0', '+', 'COUNT', ARGV[3])) do
  local flow_id, revision = item[2][2], item[2][4]
  local record = redis.call('LINDEX', key('flow', flow_id), revision - 1)
  if not record then
    lost('the log of ' .. flow_id)
  end
  records[#records + 1] = {flow_id, revision, record}
  left = left - #record
  if left <= 0 then
    break
  end
end
return {redis.call('HGET', head, 'pruned_through'), records}
