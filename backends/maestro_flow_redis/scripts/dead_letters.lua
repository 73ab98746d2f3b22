-- A page of the dead letters of a group.
-- with: group inbox
--
-- KEYS[1]  the group
-- ARGV[2]  sequence to begin after   ARGV[3]  how many at most
-- reply    list of { message id, MESSAGE_FIELDS }

local letters = {}
for _, message_id in ipairs(redis.call('ZRANGEBYSCORE', key('dead'), '(' .. ARGV[2], '+inf', 'LIMIT', 0, ARGV[3])) do
  letters[#letters + 1] = {message_id, read_message(message_id)}
end
return letters
