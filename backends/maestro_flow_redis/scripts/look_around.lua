-- The groups that have pending starts: the owner's scan is the safety net of starts (PROTOCOL 13, 18).
-- And the live nodes, as they have advertised themselves (PROTOCOL 14, 22).
-- with: catalog
--
-- KEYS[1]  the catalog
-- ARGV[2]  owner id   ARGV[3]  lease in seconds   ARGV[4]  its process   ARGV[5]  what it offers, or empty: unchanged
-- reply    { list of group ids, list of { owner id, process, what it offers, expiry } }
--
-- The hash `nodes` (owner id -> the rest, as MessagePack) is a hint: if lost, it is written again.

local groups, next_group = {}, 0
while next_group do
  local first = string.format('%.0f', next_group * GROUP_SPAN)
  local found = redis.call('ZRANGEBYSCORE', key('given'), first, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  next_group = nil
  if found[2] then
    groups[#groups + 1] = math.floor(found[2] / GROUP_SPAN)
    next_group = groups[#groups] + 1
  end
end

local now, nodes = tonumber(store_time()), {}
if ARGV[5] ~= '' then
  local entry = {ARGV[4], ARGV[5], string.format('%.17g', now + tonumber(ARGV[3]))}
  redis.call('HSET', key('nodes'), ARGV[2], cmsgpack.pack(entry))
end
local there = redis.call('HGETALL', key('nodes'))
for number = 1, #there, 2 do
  local entry = cmsgpack.unpack(there[number + 1])
  if tonumber(entry[3]) > now then
    nodes[#nodes + 1] = {there[number], unpack(entry)}
  else
    redis.call('HDEL', key('nodes'), there[number])
  end
end
return {groups, nodes}
