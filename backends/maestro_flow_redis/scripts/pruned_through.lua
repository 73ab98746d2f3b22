-- The highest position that was ever removed from the log of the group.
-- with: group
--
-- KEYS[1]  the group
-- reply    the position, or nil: nothing was

return redis.call('HGET', head, 'pruned_through')
