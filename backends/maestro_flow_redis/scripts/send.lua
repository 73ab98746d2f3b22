-- Put a message into the inbox of its group, unless its id is there already (PROTOCOL 16).
-- with: group inbox
--
-- KEYS[1]  the group
-- ARGV[2]  message id   ARGV[3]  flow id   ARGV[4]  kind   ARGV[5]  body
-- reply    the message as it stands there (MESSAGE_FIELDS); the caller compares it with his

local _, is_free = may_be_put(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
if is_free then
  put_message(ARGV[2], ARGV[3], ARGV[4], ARGV[5], store_time())
end
return read_message(ARGV[2])
