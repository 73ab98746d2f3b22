-- Part of the scripts that reply what may be long: a reply ends when this is full, and the caller goes on behind its end.
-- The server stands still while a reply is made, about 10 ms a megabyte.

local REPLY_BYTES = 4 * 1024 * 1024
