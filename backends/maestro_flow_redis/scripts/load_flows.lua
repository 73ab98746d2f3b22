-- A page of the group's live flows, by flow id, with their records (PROTOCOL 10).
-- with: group reply_limit records
--
-- KEYS[1]  the group
-- ARGV[2]  the flow id before the page, or empty   ARGV[3]  how many flows at most
-- reply    list of { flow id, entry, how many records it has, list of records from revision 1 on }; the last list may be
--          incomplete

local flows, left = {}, REPLY_BYTES
for _, flow_id in ipairs(redis.call('ZRANGEBYLEX', key('live'), '(' .. ARGV[2], '+', 'LIMIT', 0, ARGV[3])) do
  local entry, length = redis.call('HGET', key('entries'), flow_id), length_of(flow_id)
  if not entry then
    lost('the entry of ' .. flow_id)
  end
  local records
  records, left = read_records(flow_id, 0, left)
  flows[#flows + 1] = {flow_id, entry, length, records}
  if left <= 0 then
    break
  end
end
return flows
