-- Part of the scripts that prune: which flows have ended for good.

-- The entry of a flow that has ended and blocks nothing; false where it goes on; nil where there is no such flow.
local function finished_entry(flow_id)
  local stored = flow_id ~= '' and redis.call('HGET', key('entries'), flow_id)
  if not stored then
    return nil
  end
  local entry = cmsgpack.unpack(stored)
  return not redis.call('ZSCORE', key('live'), flow_id) and not entry.blocking and entry
end
