-- Part of the scripts that change the index of runs: one sorted set per tag, all scores 0, ordered by member alone.
--
-- A member is  scope NUL instance NUL status NUL | 8 bytes of created_at | flow id,  and each run is there eight times:
-- in two scopes, and with instance and status left empty or not. So every filter is a prefix, and a page of it is one
-- range that starts at a key (time, flow id), however many runs are in the store. The scopes are the workflow, and a slash
-- followed by the step that started the run, because workflow ids do not start with a slash; a run that no step has
-- started has the empty scope, as all runs did in schema 2. No id has a NUL (dsl/ids.py).
--
-- A run that blocks is there eight more times, with a `!` before its status or alone: so blocking runs are found as if
-- they had a separate status.
-- Eight bytes in the order of the times: for a positive double the sign bit is set, for a negative one all bits are
-- inverted.
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
