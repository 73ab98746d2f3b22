-- The groups that have runs which are given and not taken: the owner's scan is the safety net of starts (PROTOCOL 13, 18).
--
-- KEYS[1]  the catalog
-- reply    list of group ids

local groups = {}
for group_id = 0, redis.call('HGET', head, 'groups') - 1 do
  if redis.call('EXISTS', key('given', group_id)) == 1 then
    groups[#groups + 1] = group_id
  end
end
return groups
