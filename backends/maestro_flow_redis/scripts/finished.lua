-- Part of the scripts that prune: which flows can be removed.

-- The entry of a flow that has ended and does not block; false for any other flow; nil if it does not exist.
local function finished_entry(flow_id)
  local stored = flow_id ~= '' and redis.call('HGET', key('entries'), flow_id)
  if not stored then
    return nil
  end
  local entry = cmsgpack.unpack(stored)
  return not redis.call('ZSCORE', key('live'), flow_id) and not entry.blocking and entry
end
