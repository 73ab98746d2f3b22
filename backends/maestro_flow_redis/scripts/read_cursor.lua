-- The cursor of a sink, and the limits of its moves.
-- with: group
--
-- KEYS[1]  the group
-- ARGV[2]  sink
-- reply    { the cursor as `swap_cursor` wrote it, or nil, the highest id of the log, or empty, the position up to which
--          it was pruned, or nil, now }
--
-- The hash `cursors` (sink -> cursor) does not exist if the group has none.

local last = redis.call('XREVRANGE', key('log'), '+', '-', 'COUNT', 1)
return {
  redis.call('HGET', key('cursors'), ARGV[2]), last[1] and last[1][1] or '', redis.call('HGET', head, 'pruned_through'),
  store_time(),
}
