-- Part of every script except those that create a store: the keys, and the check of the epoch.
--
-- KEYS[1]  the head of a group or of the catalog: a hash whose key is a hash tag, `{namespace:g7}`
-- ARGV[1]  the epoch of the store, as the caller knows it
-- error    STORERESET [what]  the data of this tag are not those that the caller knows, or part of them is missing
--
-- All other keys are made from the head, so a script stays within one tag and one slot (PROTOCOL, Redis). A script that
-- fails is not rolled back, so each of them reads everything first and writes last.

local head = KEYS[1]

local function key(...)
  return head .. ':' .. table.concat({...}, ':')
end

-- Raise: data of the store are missing, evicted or deleted by hand. Only before the first write.
local function lost(what)
  error('STORERESET [' .. what .. ' in ' .. head .. ']', 0)
end

-- After FLUSHALL generations start at 1 again, and an owner of generation 7 would look newer than its successor.
if redis.call('HGET', head, 'epoch') ~= ARGV[1] then
  lost('the epoch')
end
