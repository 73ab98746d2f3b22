-- The records of a flow beyond a revision, in order.
-- with: group reply_limit records
--
-- KEYS[1]  the group
-- ARGV[2]  flow id   ARGV[3]  revision
-- reply    { how many records the flow has, list of records, possibly not all }

local length = length_of(ARGV[2])
return {length, (read_records(ARGV[2], tonumber(ARGV[3]), REPLY_BYTES))}
