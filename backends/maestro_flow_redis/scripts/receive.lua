-- The waiting messages beyond a sequence, only for the owner. The first delivery to each generation is counted before the
-- reply, so that an owner that fails with a message in hand counts (PROTOCOL 17).
-- with: group reply_limit inbox
--
-- KEYS[1]  the group
-- ARGV[2]  generation   ARGV[3]  owner id   ARGV[4]  sequence   ARGV[5]  how many at most
-- reply    list of { message id, MESSAGE_FIELDS }, or nil: the lease is not current

local fence = redis.call('HMGET', head, 'generation', 'owner_id')
if fence[1] ~= ARGV[2] or fence[2] ~= ARGV[3] then
  return false
end
local messages, left = {}, REPLY_BYTES
for _, message_id in ipairs(redis.call('ZRANGEBYSCORE', key('waiting'), '(' .. ARGV[4], '+inf', 'LIMIT', 0, ARGV[5])) do
  local message = read_message(message_id)
  messages[#messages + 1] = {message_id, message}
  left = left - #message[3]
  if left <= 0 then
    break
  end
end
for _, item in ipairs(messages) do
  local name = key('message', item[1])
  if redis.call('HGET', name, 'delivered_to') ~= ARGV[2] then
    redis.call('HSET', name, 'delivered_to', ARGV[2])
    item[2][5] = redis.call('HINCRBY', name, 'deliveries', 1)
  end
end
return messages
