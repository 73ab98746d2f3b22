-- The records of a flow beyond a revision, in order.
--
-- KEYS[1]  the group
-- ARGV[2]  flow id   ARGV[3]  revision
-- reply    list of records; revision n is item n - 1

return redis.call('LRANGE', key('flow', ARGV[2]), ARGV[3], -1)
