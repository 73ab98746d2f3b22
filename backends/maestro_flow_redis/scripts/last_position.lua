-- The highest position of the group; an owner asks after its claim, never in it (PROTOCOL 10).
--
-- KEYS[1]  the group
-- reply    the position as a string, 0 if there is none

return redis.call('HGET', head, 'position')
