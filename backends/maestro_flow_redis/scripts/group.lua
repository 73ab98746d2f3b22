-- Part of the scripts about a group: the keys that are made with it and are never empty, each for a first member that
-- nobody reads. So one that is missing was lost, and is not taken for one that has nothing in it.
--
--   log       stream     an item for each record; its id is the position
--   entries   hash       flow id -> entry of the run
--   live      sorted set ids of the flows that have not ended
--   index     sorted set the run index (index.lua)
--   waiting   sorted set ids of messages that are not settled, by sequence
--   settled   sorted set ids of tombstones, by time
--
-- The sorted set `dead`, ids of dead letters by sequence, may be empty and then is not there.
-- And for each flow a list `flow:<flow id>` of its records, for each message a hash `message:<message id>`.

if redis.call('EXISTS', key('log'), key('entries'), key('live'), key('index'), key('waiting'), key('settled')) ~= 6 then
  lost('a part')
end
