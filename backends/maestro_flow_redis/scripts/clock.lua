-- Part of every script, after the head: one clock for all nodes, the server's.

-- Seconds since the epoch, as a decimal string with microseconds.
local function store_time()
  local time = redis.call('TIME')
  return time[1] .. '.' .. string.rep('0', 6 - #time[2]) .. time[2]
end
