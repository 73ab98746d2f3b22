-- A message or its tombstone.
-- with: group inbox
--
-- KEYS[1]  the group
-- ARGV[2]  message id
-- reply    MESSAGE_FIELDS, all nil if it does not exist

return read_message(ARGV[2])
