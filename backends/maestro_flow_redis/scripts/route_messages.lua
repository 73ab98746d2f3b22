-- From schema 2 to 3: messages in transit to another group say so. Schema 2 derived it from what they say of permits.
-- with: group
--
-- KEYS[1]  the group
-- ARGV[2]  which messages: waiting, settled or dead   ARGV[3]  where to begin: 0, or what the call before replied
-- ARGV[4]  the number of the group   ARGV[5]  that of the group of the flow that gives out permits
-- reply    where the next call begins; 0 at the end

local page = redis.call('ZSCAN', key(ARGV[2]), ARGV[3], 'COUNT', 200)
for number = 1, #page[2], 2 do
  local name = key('message', page[2][number])
  local there = redis.call('HMGET', name, 'flow_id', 'kind', 'body')
  local destination = ARGV[4]
  if there[1] == 'maestro_permits' then
    destination = ARGV[5]
  elseif there[2] == 'permit_granted' then
    destination = string.format('%.0f', cjson.decode(there[3]).group)
  end
  if destination ~= ARGV[4] then
    redis.call('HSET', name, 'destination', destination)
  end
end
return page[1]
