-- Entries of runs, as commits have written them.
-- with: group
--
-- KEYS[1]  the group
-- ARGV[2]  and all that follow: flow ids
-- reply    for each the entry, or nil

local entries = {}
for number = 2, #ARGV do -- not a single HMGET: Lua can pass about 8,000 values at most
  entries[number - 1] = redis.call('HGET', key('entries'), ARGV[number])
end
return entries
