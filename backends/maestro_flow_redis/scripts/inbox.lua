-- Part of the scripts that deal with messages. A message, a tombstone and a dead letter are one hash; `waiting` has the
-- ids that are not settled by sequence, `settled` those of tombstones by time, `dead` those of dead letters by sequence.

local MESSAGE_FIELDS = {
  'flow_id', 'kind', 'body', 'sequence', 'deliveries', 'state', 'outcome', 'sent_at', 'destination',
}

-- The fields of a message in the order above; all false if it does not exist. Only a message in transit to another group
-- has a destination.
local function read_message(message_id)
  local there = redis.call('HMGET', key('message', message_id), unpack(MESSAGE_FIELDS))
  if not there[1]
      and (redis.call('ZSCORE', key('waiting'), message_id) or redis.call('ZSCORE', key('settled'), message_id)) then
    lost('message ' .. message_id)
  end
  return there
end

-- The id of a message is free, or is that of the same message (PROTOCOL 16). A message is a table as commit.lua gets it:
-- message_id, flow_id, kind, body, destination (empty: this group).
local function may_be_put(message)
  local there = read_message(message.message_id)
  local is_free = not there[1]
  local is_same = there[1] == message.flow_id and there[2] == message.kind and there[3] == message.body
    and (there[9] or '') == message.destination
  return is_free or is_same, is_free
end

-- The counter starts at the number of the group and grows by the number of groups: sequences increase within a group,
-- are unique in the store, and are never reused, because the counter never goes back.
local function put_message(message, now)
  local sequence = redis.call('HINCRBY', head, 'sequence', redis.call('HGET', head, 'groups'))
  local name = key('message', message.message_id)
  redis.call('HSET', name,
    'flow_id', message.flow_id, 'kind', message.kind, 'body', message.body, 'sequence', sequence, 'sent_at', now,
    'deliveries', 0, 'delivered_to', '0', 'state', 'waiting', 'outcome', '')
  if message.destination ~= '' then
    redis.call('HSET', name, 'destination', message.destination)
  end
  redis.call('ZADD', key('waiting'), sequence, message.message_id)
end
