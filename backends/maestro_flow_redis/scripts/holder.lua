-- The holder of a group, even if the lease has expired.
-- with: group
--
-- KEYS[1]  the group
-- reply    { now, generation, owner id, process, expiry }; the owner id is empty if nobody holds it

return {store_time(), unpack(redis.call('HMGET', head, 'generation', 'owner_id', 'process', 'expires_at'))}
