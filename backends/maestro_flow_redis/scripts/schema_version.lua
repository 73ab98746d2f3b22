-- The schema version of the store.
--
-- KEYS[1]  the catalog
-- reply    the version

return redis.call('HGET', head, 'schema_version')
