-- Remove the cursor of a sink.
-- with: group
--
-- KEYS[1]  the group
-- ARGV[2]  sink
-- reply    1 if it had a cursor

return redis.call('HDEL', key('cursors'), ARGV[2])
