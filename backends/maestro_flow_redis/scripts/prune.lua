-- Remove finished flows that are no longer in the catalog, only for the owner of the group (PROTOCOL 3, 28).
-- with: group finished index
--
-- KEYS[1]  the group
-- ARGV[2]  generation   ARGV[3]  owner id   ARGV[4]  and all that follow: flow ids
-- reply    for each 1: it is gone, or 0: it must stay; or nil: the lease is not current
--
-- The watermark is raised before anything is removed, and the entry, by which a flow is found again, is removed last.

-- A record is  length of the commit id, a space, the commit id, and a MessagePack array: generation, owner, position, ...
local function position_of(record)
  local length = string.match(record, '^%d+')
  local array = #length + 1 + tonumber(length)
  local _, _, _, position = cmsgpack.unpack_limit(record, 3, array + 1) -- after the first byte, which is the length
  return position
end

local function remove(flow_id, entry)
  local ids, last = {}, tonumber(redis.call('HGET', head, 'pruned_through') or 0)
  for _, record in ipairs(redis.call('LRANGE', key('flow', flow_id), 0, -1)) do
    local position = position_of(record)
    ids[#ids + 1] = string.format('%.0f-0', position)
    last = math.max(last, position)
  end
  redis.call('HSET', head, 'pruned_through', string.format('%.0f', last))
  for _, id in ipairs(ids) do
    redis.call('XDEL', key('log'), id)
  end
  redis.call('UNLINK', key('flow', flow_id))
  index_run(
    false, entry.workflow_id, entry.parent or '', entry.instance_id, entry.status, entry.created_at, flow_id,
    entry.blocking)
  redis.call('HDEL', key('entries'), flow_id)
end

local fence = redis.call('HMGET', head, 'generation', 'owner_id')
if fence[1] ~= ARGV[2] or fence[2] ~= ARGV[3] then
  return false
end
local answers = {}
for number = 4, #ARGV do
  local entry = finished_entry(ARGV[number])
  if entry then
    remove(ARGV[number], entry)
  end
  answers[number - 3] = entry == false and 0 or 1
end
return answers
