-- Fills what a gateway orders of one bucket, by Redis' own clock. Atomic, as all
-- scripts are.
--
-- KEYS: the bucket; when each gateway was last heard of.
-- ARGV: the kind of the bucket ("rolling", "calendar" or "held"), the gateway,
--   the bucket's amount, what can be had at once, the period in microseconds
--   (of a calendar, what is left of it), what the gateway has taken in all, what
--   of that is new, all that was used as far as the gateway knows, what may be
--   given beyond the needs; then the needs.
-- Returns: what was used in all, what was given, how many needs were met.
local bucket, heard = KEYS[1], KEYS[2]
local kind, me = ARGV[1], ARGV[2]
local amount, at_once, period = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local taken, change = tonumber(ARGV[6]), tonumber(ARGV[7])
local known, more = tonumber(ARGV[8]), tonumber(ARGV[9])
local FIRST_NEED = 10

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- Numbers are written out in full: Redis would write 14 digits.
local function whole(number) return string.format('%.0f', number) end

-- What was used before this order.
local used
if kind == 'rolling' then
    local level = redis.call('HMGET', bucket, 'owed', 'at')
    if level[1] then
        local passed = math.max(0, now - tonumber(level[2]))
        used = math.max(0, tonumber(level[1]) - passed * amount / period)
    else
        -- New, or forgotten, for instance by a restart.
        used = known
    end
    used = math.max(0, used + change)
else
    -- One field for each gateway, since what is set twice is not counted twice.
    -- What was used when all was forgotten stands in `before`, and what a gateway
    -- had told of that goes out of it as it tells it again.
    used = taken
    local before, is_new, is_empty = 0, true, true
    local fields = redis.call('HGETALL', bucket)
    for i = 1, #fields, 2 do
        local gateway, part = fields[i], tonumber(fields[i + 1])
        is_empty = false
        if gateway == me then
            is_new = false
        elseif gateway == 'before' then
            before = part
        elseif kind == 'held' and not redis.call('ZSCORE', heard, gateway) then
            -- It is gone, and its exchanges with it.
            redis.call('HDEL', bucket, gateway)
        else
            used = used + part
        end
    end
    if kind == 'calendar' and is_new then
        local told = taken - change
        before = math.max(0, (is_empty and known or before) - told)
        redis.call('HSET', bucket, 'before', whole(before))
    end
    used = used + before
end

-- Each need is met whole or not at all. One beyond what can be had at once takes
-- a full bucket, and leaves it in debt.
local given, met = 0, 0
for i = FIRST_NEED, #ARGV do
    local need = tonumber(ARGV[i])
    if used + math.min(need, at_once) <= at_once then
        used, given, met = used + need, given + need, met + 1
    end
end
-- Something for those who come next, where there is much: nobody else shall miss it.
if met > 0 and met == #ARGV - FIRST_NEED + 1 then
    local rest = math.floor(math.max(0, math.min(more, (at_once - used) / 8)))
    used, given = used + rest, given + rest
end

if kind == 'rolling' then
    redis.call('HSET', bucket, 'owed', string.format('%.17g', used), 'at', whole(now))
    redis.call('PEXPIRE', bucket, whole(math.ceil(used * period / amount / 1000) + 1000))
else
    redis.call('HSET', bucket, me, whole(taken + given))
    -- An hour more, for clocks that are behind.
    redis.call('PEXPIRE', bucket, whole(math.ceil(period / 1000) + 3600000))
end
return {whole(math.ceil(used)), whole(given), met}
