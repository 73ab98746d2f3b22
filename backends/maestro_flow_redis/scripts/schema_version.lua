-- Version of the keys and what is in them, as the store was written.
--
-- KEYS[1]  the catalog
-- reply    the version

return redis.call('HGET', head, 'schema_version')
