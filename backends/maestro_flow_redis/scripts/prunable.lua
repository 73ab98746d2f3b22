-- Which flows of a group have ended and could be pruned, only for its owner (PROTOCOL 3, 28).
-- with: group finished
--
-- KEYS[1]  the group
-- ARGV[2]  generation   ARGV[3]  owner id   ARGV[4]  and all that follow: flow ids
-- reply    for each 1, 0: it must stay, or nil: it does not exist; or nil: the lease is not current

local fence = redis.call('HMGET', head, 'generation', 'owner_id')
if fence[1] ~= ARGV[2] or fence[2] ~= ARGV[3] then
  return false
end
local answers = {}
for number = 4, #ARGV do
  local entry = finished_entry(ARGV[number])
  answers[number - 3] = entry ~= nil and (entry and 1 or 0)
end
return answers
