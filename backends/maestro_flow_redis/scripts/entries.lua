-- Entries of runs, as commits have written them.
--
-- KEYS[1]  the group
-- ARGV[2]  and all that follow: flow ids
-- reply    for each the entry, or nil

return redis.call('HMGET', key('entries'), unpack(ARGV, 2))
