-- The store has its next version; the right to migrate is given back.
-- with: catalog
--
-- KEYS[1]  the catalog
-- ARGV[2]  who   ARGV[3]  the version   ARGV[4]  the oldest reader
-- reply    1, or nil: the right was not his any more, and nothing is written

if redis.call('HGET', head, 'migrator') ~= ARGV[2] then
  return false
end
redis.call('HSET', head, 'schema_version', ARGV[3], 'oldest_reader', ARGV[4])
redis.call('HDEL', head, 'migrator', 'migrator_until')
return 1
