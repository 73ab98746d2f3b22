-- A dead letter waits again, at the end of its inbox.
-- with: group inbox
--
-- KEYS[1]  the group
-- ARGV[2]  message id
-- reply    the message afterwards (MESSAGE_FIELDS); only a dead letter is changed

local there = read_message(ARGV[2])
if there[6] ~= 'dead' then
  return there
end
redis.call('ZREM', key('dead'), ARGV[2])
put_message(
  {message_id = ARGV[2], flow_id = there[1], kind = there[2], body = there[3], destination = there[9] or ''}, there[8])
return read_message(ARGV[2])
