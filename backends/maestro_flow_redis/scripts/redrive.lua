-- A dead letter waits again, at the end of its inbox.
-- with: group inbox
--
-- KEYS[1]  the group
-- ARGV[2]  message id
-- reply    the message as it is then (MESSAGE_FIELDS); one that is no dead letter is left as it is

local there = read_message(ARGV[2])
if there[6] ~= 'dead' then
  return there
end
local flow_id, kind, body, _, _, _, _, sent_at = unpack(there)
redis.call('ZREM', key('dead'), ARGV[2])
put_message(ARGV[2], flow_id, kind, body, sent_at)
return read_message(ARGV[2])
