-- The highest position ever removed from the group's log.
-- with: group
--
-- KEYS[1]  the group
-- reply    the position, or nil: nothing was removed

return redis.call('HGET', head, 'pruned_through')
