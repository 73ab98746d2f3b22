-- Part of the scripts with long replies: a reply ends at this limit, and the caller continues after its end. The server
-- does nothing else while it makes a reply, about 10 ms per megabyte.

local REPLY_BYTES = 4 * 1024 * 1024
