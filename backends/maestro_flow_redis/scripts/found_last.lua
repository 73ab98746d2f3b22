-- Record that all groups are created: from now on a missing group was lost.
--
-- KEYS[1]  the catalog
-- reply    nothing

redis.call('HSET', head, 'is_founded', 1)
