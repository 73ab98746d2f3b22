-- Runs as created by their starts.
-- with: catalog runs
--
-- KEYS[1]  the catalog
-- ARGV[2]  and all that follow: flow ids
-- reply    for each { flow id, RUN_FIELDS }, or nil

local runs = {}
for number = 2, #ARGV do
  runs[number - 1] = read_run(ARGV[number])
end
return runs
