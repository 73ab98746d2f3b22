-- Part of every script but those that found a store: which keys there are, and the check of the epoch.
--
-- KEYS[1]  the head of a group or of the catalog: a hash whose key is a hash tag, `{namespace:g7}`
-- ARGV[1]  the epoch of the store, as the caller knows it
-- error    STORERESET [what]  the data of this tag are not those that the caller knows, or a part of them is missing
--
-- All other keys are made from the head, so a script stays within one tag and one slot (PROTOCOL, Redis). A script that
-- fails leaves what it has written: each of them looks at everything first and writes last.

local head = KEYS[1]

local function key(...)
  return head .. ':' .. table.concat({...}, ':')
end

-- What the store has written is not there: it was evicted, or deleted by hand. Only before the first write.
local function lost(what)
  error('STORERESET [' .. what .. ' in ' .. head .. ']', 0)
end

-- After FLUSHALL generations start at 1 again, and an owner of generation 7 would look newer than his successor.
if redis.call('HGET', head, 'epoch') ~= ARGV[1] then
  lost('the epoch')
end
