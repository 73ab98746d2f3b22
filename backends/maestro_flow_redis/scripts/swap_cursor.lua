-- Write the cursor of a sink, if it is still what the caller has read.
-- with: group
--
-- KEYS[1]  the group
-- ARGV[2]  sink   ARGV[3]  what was read, empty where there was none   ARGV[4]  what is to be there, which only the caller
--          can read
-- reply    1, or nil: somebody was faster

if (redis.call('HGET', key('cursors'), ARGV[2]) or '') ~= ARGV[3] then
  return false
end
redis.call('HSET', key('cursors'), ARGV[2], ARGV[4])
return 1
