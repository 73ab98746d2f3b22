-- A page of the index of a group, or of the catalog, newest run first.
--
-- KEYS[1]  the group or the catalog
-- ARGV[2]  the filter as a prefix (index.lua)   ARGV[3]  the key before the page (8 bytes of the time, flow id), or empty
-- ARGV[4]  how many at most
-- reply    list of keys: 8 bytes of the time, flow id

if redis.call('EXISTS', key('index')) == 0 then
  lost('the index')
end
local prefix = ARGV[2]
-- The first byte of a time is below 0xff.
local newest = '(' .. prefix .. (ARGV[3] == '' and '\255' or ARGV[3])
local members = redis.call('ZREVRANGEBYLEX', key('index'), newest, '[' .. prefix, 'LIMIT', 0, ARGV[4])
for number, member in ipairs(members) do
  members[number] = string.sub(member, #prefix + 1)
end
return members
