-- Runs of a group that are not marked as taken, oldest first (PROTOCOL 18).
-- with: runs
--
-- KEYS[1]  the catalog
-- ARGV[2]  group id   ARGV[3]  how many at most, above 0
-- reply    list of { flow id, RUN_FIELDS }

local page = redis.call('ZRANGE', key('given', ARGV[2]), 0, ARGV[3] - 1)
for number, flow_id in ipairs(page) do
  page[number] = read_run(flow_id)
end
return page
