-- Part of the scripts that deal with messages. A message, a tombstone and a dead letter are one hash; `waiting` has the
-- ids that are not settled by sequence, `settled` those of tombstones by time, `dead` those of dead letters by sequence.

local MESSAGE_FIELDS = {
  'flow_id', 'kind', 'body', 'sequence', 'deliveries', 'state', 'outcome', 'sent_at',
}

-- The fields of a message in the order above; all false when there is none.
local function read_message(message_id)
  local there = redis.call('HMGET', key('message', message_id), unpack(MESSAGE_FIELDS))
  if not there[1]
      and (redis.call('ZSCORE', key('waiting'), message_id) or redis.call('ZSCORE', key('settled'), message_id)) then
    lost('message ' .. message_id)
  end
  return there
end

-- The id is free, or stands for this very message (PROTOCOL 16).
local function may_be_put(message_id, flow_id, kind, body)
  local there = read_message(message_id)
  local is_free = not there[1]
  return is_free or (there[1] == flow_id and there[2] == kind and there[3] == body), is_free
end

-- The counter starts at the number of the group and grows by the number of groups: sequences increase within a group,
-- are unique in the store, and are never given out again, because nothing takes the counter back.
local function put_message(message_id, flow_id, kind, body, now)
  local sequence = redis.call('HINCRBY', head, 'sequence', redis.call('HGET', head, 'groups'))
  redis.call('HSET', key('message', message_id),
    'flow_id', flow_id, 'kind', kind, 'body', body, 'sequence', sequence, 'sent_at', now,
    'deliveries', 0, 'delivered_to', '0', 'state', 'waiting', 'outcome', '')
  redis.call('ZADD', key('waiting'), sequence, message_id)
end
