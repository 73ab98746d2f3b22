-- The latest run of each run's instance, if created by starts: it must have ended before a run is pruned.
-- with: catalog runs followers
--
-- KEYS[1]  the catalog
-- ARGV[2]  and all that follow: flow ids
-- reply    for each { number of the latest run, its flow id, its group }, or nil: not created by a start

local answers = {}
for number = 2, #ARGV do
  local run = read_run(ARGV[number])
  local answer = false
  if run then
    local latest = latest_of(run)
    local name = run_key(run, latest)
    answer = {latest, string.sub(name, #key('run') + 2), redis.call('HGET', name, 'group_id')}
  end
  answers[number - 1] = answer
end
return answers
