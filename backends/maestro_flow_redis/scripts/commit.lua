-- Judge each commit of a batch for one group in order, and write those that are DONE (PROTOCOL 1-8).
-- with: group inbox index records
--
-- KEYS[1]  the group
-- ARGV[2]  and all that follow: one commit each, as a MessagePack map
--            generation  owner_id      the lease it was decided under, both as strings
--            contradicts               true: the caller has found that it contradicts itself
--            follows_refused           true: a commit of its flow was refused in a script before this one
--            settles                   list of {message_id, outcome, dead}
--            sends                     list of {message_id, flow_id, kind, body, destination}
--            flow                      absent, or  flow_id  revision  commit_id  position (a string)
--                                      record: length of the commit id, a space, the commit id, and what only the
--                                      caller can read
--                                      entry: the run's new entry, or absent;  is_live: it is not terminal
-- reply    { outcomes, problem }: one letter per commit; if the log refuses a record, usually because its position is not
--          beyond the last one (PROTOCOL 7), judging ends, earlier commits are written, and `problem` says why
--
-- A batch is written commit by commit, because each is judged on the result of those before it. Nothing of a commit is
-- written before all of it is judged and read; the log, which may refuse a record, is written first.

local DONE, ALREADY_APPLIED, OWNERSHIP_LOST, CONFLICT, INVALID = 'D', 'A', 'L', 'C', 'I'

local fence = redis.call('HMGET', head, 'generation', 'owner_id')
local generation, owner_id = fence[1], fence[2]
local refused = {} -- flows with a refused commit: their later commits were decided on a state that never existed

local function state_after(settlement)
  return settlement.dead and 'dead' or 'settled'
end

local function is_settled_so(settlement)
  local there = redis.call('HMGET', key('message', settlement.message_id), 'state', 'outcome')
  return there[1] == state_after(settlement) and there[2] == settlement.outcome, there[1]
end

-- This commit is already in the store: by its id, or, without a flow, by everything that it would have left (PROTOCOL 5).
local function is_applied(commit)
  local flow = commit.flow
  if flow then
    if flow.length < flow.revision then
      return false
    end
    local record = redis.call('LINDEX', key('flow', flow.flow_id), flow.revision - 1)
    local its_id = #flow.commit_id .. ' ' .. flow.commit_id
    return string.sub(record, 1, #its_id) == its_id
  end
  for _, settlement in ipairs(commit.settles) do
    if not is_settled_so(settlement) then
      return false
    end
  end
  for _, message in ipairs(commit.sends) do
    local fits, is_free = may_be_put(message)
    if is_free or not fits then
      return false
    end
  end
  return #commit.settles + #commit.sends > 0 -- a commit that leaves nothing cannot be recognised
end

-- The verdict on a commit that does not fit the store: INVALID before CONFLICT, or nil.
local function refusal(commit)
  local verdict = nil
  for _, settlement in ipairs(commit.settles) do
    local is_so, state = is_settled_so(settlement)
    if not state then
      read_message(settlement.message_id) -- checks whether it was lost
      return INVALID -- there is no such message
    elseif state ~= 'waiting' and not is_so then
      verdict = CONFLICT -- the outcome of a message is final (PROTOCOL 16)
    end
  end
  for _, message in ipairs(commit.sends) do
    if not may_be_put(message) then
      verdict = CONFLICT
    end
  end
  local flow = commit.flow
  if flow and (commit.follows_refused or refused[flow.flow_id] or flow.length ~= flow.revision - 1) then
    verdict = CONFLICT -- another commit has the revision, or revision - 1 does not exist (PROTOCOL 4)
  end
  return verdict
end

local function judge(commit)
  if commit.flow then
    commit.flow.length = length_of(commit.flow.flow_id)
  end
  if commit.contradicts then
    return INVALID
  elseif is_applied(commit) then
    return ALREADY_APPLIED -- before the fence: an answer that got lost stays true (PROTOCOL 6)
  elseif commit.generation ~= generation or commit.owner_id ~= owner_id then
    return OWNERSHIP_LOST -- by equality, never by time (PROTOCOL 3)
  end
  return refusal(commit) or DONE
end

-- { the previous entry, the new entry }; the first is nil before the first revision.
local function read_entries(flow)
  local before = flow.revision > 1 and redis.call('HGET', key('entries'), flow.flow_id)
  return {before and cmsgpack.unpack(before) or nil, cmsgpack.unpack(flow.entry)}
end

local function index_entry(is_there, entry)
  index_run(
    is_there, entry.workflow_id, entry.parent or '', entry.instance_id, entry.status, entry.created_at, entry.flow_id, entry.blocking)
end

local function write_entry(flow, was, is)
  if was then
    index_entry(false, was)
  end
  index_entry(true, is)
  redis.call('HSET', key('entries'), flow.flow_id, flow.entry)
  if flow.is_live then
    redis.call('ZADD', key('live'), 0, flow.flow_id)
  else
    redis.call('ZREM', key('live'), flow.flow_id)
  end
end

-- The log is a stream whose ids are the positions: it refuses one that is not beyond its last. Because this is written
-- first, nothing of the commit is written then. Returns the refusal, or nil.
local function write_to_log(flow)
  local added = redis.pcall('XADD', key('log'), flow.position .. '-0', 'f', flow.flow_id, 'r', flow.revision)
  return type(added) == 'table' and added.err
end

local function write_settlement(settlement, now)
  local name = key('message', settlement.message_id)
  if redis.call('HGET', name, 'state') == 'waiting' then
    redis.call('HSET', name, 'state', state_after(settlement), 'outcome', settlement.outcome)
    redis.call('ZREM', key('waiting'), settlement.message_id)
    if settlement.dead then
      redis.call('ZADD', key('dead'), redis.call('HGET', name, 'sequence'), settlement.message_id)
    else
      redis.call('ZADD', key('settled'), now, settlement.message_id)
    end
  end
end

-- Returns why the log refused it, in which case nothing is written; otherwise nil.
local function write(commit)
  local flow = commit.flow
  local entries = flow and flow.entry and read_entries(flow)
  local problem = flow and write_to_log(flow)
  if problem then
    return problem
  end
  if flow then
    redis.call('RPUSH', key('flow', flow.flow_id), flow.record)
  end
  if entries then
    write_entry(flow, entries[1], entries[2])
  end
  for _, settlement in ipairs(commit.settles) do
    write_settlement(settlement, store_time())
  end
  for _, message in ipairs(commit.sends) do
    local _, is_free = may_be_put(message)
    if is_free then
      put_message(message, store_time())
    end
  end
end

local outcomes = {}
for number = 2, #ARGV do
  local commit = cmsgpack.unpack(ARGV[number])
  local outcome = judge(commit)
  if outcome == DONE then
    local problem = write(commit)
    if problem then
      return {table.concat(outcomes), problem}
    end
  elseif commit.flow and outcome ~= ALREADY_APPLIED then
    refused[commit.flow.flow_id] = true
  end
  outcomes[#outcomes + 1] = outcome
end
return {table.concat(outcomes), ''}
