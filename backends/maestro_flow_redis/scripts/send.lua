-- Put a message into the inbox of its group, unless its id already exists (PROTOCOL 16).
-- with: group inbox
--
-- KEYS[1]  the group
-- ARGV[2]  message id   ARGV[3]  flow id   ARGV[4]  kind   ARGV[5]  body
-- ARGV[6]  the group it is for, or empty: this one
-- reply    the message as stored (MESSAGE_FIELDS); the caller compares it with its own

local message = {message_id = ARGV[2], flow_id = ARGV[3], kind = ARGV[4], body = ARGV[5], destination = ARGV[6]}
local _, is_free = may_be_put(message)
if is_free then
  put_message(message, store_time())
end
return read_message(ARGV[2])
