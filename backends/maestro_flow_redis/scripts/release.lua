-- Release a group, so that it can be claimed at once. No effect on a lease that is not current (PROTOCOL 3, 14).
-- with: group
--
-- KEYS[1]  the group
-- ARGV[2]  owner id   ARGV[3]  generation of its lease
-- ARGV[4]  id of the node that the group is kept for, or empty   ARGV[5]  for how many seconds
-- reply    1 if the group was released

local there = redis.call('HMGET', head, 'owner_id', 'generation')
if there[1] ~= ARGV[2] or there[2] ~= ARGV[3] then
  return 0
end
local kept_until = string.format('%.17g', tonumber(store_time()) + tonumber(ARGV[5]))
redis.call('HSET', head, 'owner_id', '', 'expires_at', '0', 'kept_for', ARGV[4], 'kept_until', kept_until)
return 1
