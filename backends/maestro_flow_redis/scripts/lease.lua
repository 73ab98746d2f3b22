-- Part of the scripts that check whether a group is free.

-- It is not held, and not kept for a node other than ``claimant`` (PROTOCOL 14, 22).
local function may_claim(owner_id, expires_at, kept_for, kept_until, claimant, now)
  if owner_id ~= '' then
    return expires_at <= now
  end
  return not kept_for or kept_for == '' or kept_for == claimant or tonumber(kept_until) <= now
end
