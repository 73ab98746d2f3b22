-- Part of the scripts that change the index of runs: one sorted set per tag, all scores 0, ordered by member alone.
--
-- A member is  workflow NUL instance NUL status NUL | 8 bytes of created_at | flow id,  and each run is there eight
-- times: with any of the first three left empty. So every filter is a prefix, and a page of it is one range that starts
-- at a key (time, flow id), whatever number of runs is in the store. Doubles above zero are ordered as their bytes are.

-- ZADD (with is_there) or ZREM the members of a run.
local function index_run(is_there, workflow_id, instance_id, status, created_at, flow_id)
  local place = struct.pack('>d', created_at) .. flow_id
  local words = {}
  for _, workflow in ipairs({workflow_id, ''}) do
    for _, instance in ipairs({string.format('%.0f', instance_id), ''}) do
      for _, state in ipairs({status, ''}) do
        if is_there then
          words[#words + 1] = 0
        end
        words[#words + 1] = workflow .. '\0' .. instance .. '\0' .. state .. '\0' .. place
      end
    end
  end
  redis.call(is_there and 'ZADD' or 'ZREM', key('index'), unpack(words))
end
