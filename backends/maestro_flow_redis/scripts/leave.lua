-- Remove a node that has left.
-- with: catalog
--
-- KEYS[1]  the catalog
-- ARGV[2]  owner id
-- reply    1 if it was there

return redis.call('HDEL', key('nodes'), ARGV[2])
