-- Mark runs whose first commit is written. May be repeated; ignores runs that were not created by a start.
-- with: catalog index runs
--
-- KEYS[1]  the catalog
-- ARGV[2]  flow id   ARGV[3]  1 if its group has its entry, so that the catalog need not list it; and so on, in pairs
-- reply    nothing

for number = 2, #ARGV, 2 do
  local run = read_run(ARGV[number])
  if run then
    redis.call('ZREM', key('given'), run[1])
    if ARGV[number + 1] == '1' then
      index_run(false, run[2], run[9], tonumber(run[4]), 'CREATED', tonumber(run[8]), run[1])
    end
  end
end
