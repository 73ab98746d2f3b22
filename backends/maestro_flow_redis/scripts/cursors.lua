-- All cursors of a group; sinks are few.
-- with: group
--
-- KEYS[1]  the group
-- reply    sink, cursor, and so on, unordered

return redis.call('HGETALL', key('cursors'))
