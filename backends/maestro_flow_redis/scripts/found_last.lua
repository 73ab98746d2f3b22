-- All groups are made: from now on one that is missing was lost.
--
-- KEYS[1]  the catalog
-- reply    nothing

redis.call('HSET', head, 'is_founded', 1)
