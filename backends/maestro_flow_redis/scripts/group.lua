-- Part of the scripts about a group: the keys that are created with it. Each has a sentinel as its first member, so it is
-- never empty: a missing key was lost, and cannot be mistaken for an empty one.
--
--   log       stream     an item for each record; its id is the position
--   entries   hash       flow id -> entry of the run
--   live      sorted set ids of the flows that have not ended
--   index     sorted set the run index (index.lua)
--   waiting   sorted set ids of messages that are not settled, by sequence
--   settled   sorted set ids of tombstones, by time
--
-- The sorted set `dead`, ids of dead letters by sequence, does not exist while it is empty.
-- In addition, for each flow a list `flow:<flow id>` of its records, for each message a hash `message:<message id>`.

if redis.call('EXISTS', key('log'), key('entries'), key('live'), key('index'), key('waiting'), key('settled')) ~= 6 then
  lost('a part')
end
