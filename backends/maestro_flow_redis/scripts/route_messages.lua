-- From schema 2 to 3: messages in transit name their destination. Schema 2 derived it from the content of permit messages.
-- with: group
--
-- KEYS[1]  the group
-- ARGV[2]  which messages: waiting, settled or dead   ARGV[3]  where to begin: 0, or the reply of the previous call
-- ARGV[4]  id of the group   ARGV[5]  id of the permit flow's group
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
