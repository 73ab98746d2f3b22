-- The groups that have runs which are given and not taken: the owner's scan is the safety net of starts (PROTOCOL 13, 18).
-- with: catalog
--
-- KEYS[1]  the catalog
-- reply    list of group ids

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
return groups
