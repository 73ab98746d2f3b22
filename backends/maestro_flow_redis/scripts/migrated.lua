-- Record the store's new version, and release the migration lock.
-- with: catalog
--
-- KEYS[1]  the catalog
-- ARGV[2]  id of the lock's holder   ARGV[3]  the version   ARGV[4]  the oldest reader
-- reply    1, or nil: the lock was lost, and nothing is written

if redis.call('HGET', head, 'migrator') ~= ARGV[2] then
  return false
end
redis.call('HSET', head, 'schema_version', ARGV[3], 'oldest_reader', ARGV[4])
redis.call('HDEL', head, 'migrator', 'migrator_until')
return 1
