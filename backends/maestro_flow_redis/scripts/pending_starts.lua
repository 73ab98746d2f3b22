-- Pending starts of a group, oldest first (PROTOCOL 18).
-- with: catalog reply_limit runs
--
-- KEYS[1]  the catalog
-- ARGV[2]  group id   ARGV[3]  the sequence before the page, 0 or more   ARGV[4]  how many at most
-- reply    list of { flow id, RUN_FIELDS, body, sequence }

local base = ARGV[2] * GROUP_SPAN
local first = string.format('(%.0f', base + ARGV[3])
local next_group = string.format('(%.0f', base + GROUP_SPAN)
local found = redis.call('ZRANGEBYSCORE', key('given'), first, next_group, 'WITHSCORES', 'LIMIT', 0, ARGV[4])
local runs, left = {}, REPLY_BYTES
for number = 1, #found, 2 do
  local run = read_run(found[number]) or lost('run ' .. found[number])
  local body = read_body(found[number])
  run[#run + 1] = body
  run[#run + 1] = found[number + 1] - base
  runs[#runs + 1] = run
  left = left - #body
  if left <= 0 then
    break
  end
end
return runs
