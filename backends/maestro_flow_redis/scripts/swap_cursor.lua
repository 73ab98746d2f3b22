-- Write the cursor of a sink, if it is still what the caller has read.
-- with: group
--
-- KEYS[1]  the group
-- ARGV[2]  sink   ARGV[3]  the value that was read, or empty   ARGV[4]  the new value, which only the caller can read
-- reply    1, or nil: it was changed meanwhile

if (redis.call('HGET', key('cursors'), ARGV[2]) or '') ~= ARGV[3] then
  return false
end
redis.call('HSET', key('cursors'), ARGV[2], ARGV[4])
return 1
