-- Who holds a group, whether his lease has expired or not.
-- with: group
--
-- KEYS[1]  the group
-- reply    { now, generation, owner id, process, expiry }; the owner id is empty where nobody holds it

return {store_time(), unpack(redis.call('HMGET', head, 'generation', 'owner_id', 'process', 'expires_at'))}
