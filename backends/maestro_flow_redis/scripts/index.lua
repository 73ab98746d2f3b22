-- Part of the scripts that change the index of runs: one sorted set per tag, all scores 0, ordered by member alone.
--
-- A member is  scope NUL instance NUL status NUL | 8 bytes of created_at | flow id,  and each run is there eight times:
-- in two scopes, and with instance and status left empty or not. So every filter is a prefix, and a page of it is one
-- range that starts at a key (time, flow id), whatever number of runs is in the store. The scopes are the workflow, and
-- the step that started the run behind a slash, with which no workflow id begins; a run that no step has started has the
-- empty scope, as all runs did in schema 2. No id has a NUL (dsl/ids.py).
--
-- A run that blocks is there eight times more, with a `!` before its status or before nothing: so those are found as if
-- they had a status of their own.

-- Eight bytes that are ordered as the times are: of a double above zero the sign is set, of one below all bits are other.
local function ordered(time)
  local bytes = struct.pack('>d', time)
  if time < 0 then
    return (string.gsub(bytes, '.', function(byte) return string.char(255 - string.byte(byte)) end))
  end
  return string.char(string.byte(bytes) % 128 + 128) .. string.sub(bytes, 2)
end

-- ZADD (with is_there) or ZREM the members of a run.
local function index_run(is_there, workflow_id, parent, instance_id, status, created_at, flow_id, is_blocking)
  local run_key = ordered(created_at) .. flow_id
  local states = is_blocking and {status, '', '!' .. status, '!'} or {status, ''}
  local words = {}
  for _, scope in ipairs({workflow_id, parent == '' and '' or '/' .. parent}) do
    for _, instance in ipairs({string.format('%.0f', instance_id), ''}) do
      for _, state in ipairs(states) do
        if is_there then
          words[#words + 1] = 0
        end
        words[#words + 1] = scope .. '\0' .. instance .. '\0' .. state .. '\0' .. run_key
      end
    end
  end
  redis.call(is_there and 'ZADD' or 'ZREM', key('index'), unpack(words))
end
