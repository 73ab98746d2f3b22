-- Part of the scripts that read records. A flow's records are a list: revision n is item n - 1.

local SLICE = 4 -- records read at once: a page exceeds its limit by no more

-- How many records a flow has.
local function length_of(flow_id)
  local length = redis.call('LLEN', key('flow', flow_id))
  if length == 0 and redis.call('HEXISTS', key('entries'), flow_id) == 1 then
    lost('the log of ' .. flow_id)
  end
  return length
end

-- Records of a flow after the first `after`, until the reply is full; and how many bytes of it are left.
local function read_records(flow_id, after, left)
  local records = {}
  repeat
    local first = after + #records
    local slice = redis.call('LRANGE', key('flow', flow_id), first, first + SLICE - 1)
    for _, record in ipairs(slice) do
      records[#records + 1] = record
      left = left - #record
    end
  until #slice < SLICE or left <= 0
  return records, left
end
