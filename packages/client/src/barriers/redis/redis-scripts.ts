/** The scripts of the barrier in Redis. They write what DTM's clients write, so that both can share keys. */

/** Changes an amount behind the barrier. */
export const checkAdjustScript = `-- Check and adjust: changes an amount once for each op of a branch, never below zero.
-- KEYS[1] the amount, an integer; KEYS[2] barrier of this op; KEYS[3] barrier of the op that it undoes
-- ARGV[1] what to add; ARGV[2] name of the op that it undoes, empty: none; ARGV[3] life of the barriers in seconds
-- Result: 'OK' adjusted; 'AGAIN' adjusted by this op before; 'GIVEN UP' its undo was here before it; 'NOTHING' there is
--         nothing to undo; 'FAILURE' there is no such amount, or it is too small: nothing is changed
-- DTM's clients look at the amount first: there the repetition of a deduction fails once the amount is used up. Here the
-- barriers come first. An op that is refused leaves no barrier, so it may come again.
local own = redis.call('GET', KEYS[2])
local original = ARGV[2] ~= '' and redis.call('GET', KEYS[3])
if own == 'rollback' then
  return 'GIVEN UP'
end
if own then
  return original == 'rollback' and 'NOTHING' or 'AGAIN'
end
if ARGV[2] ~= '' and not original then
  redis.call('SET', KEYS[2], 'op', 'EX', ARGV[3])
  redis.call('SET', KEYS[3], 'rollback', 'EX', ARGV[3])
  return 'NOTHING'
end
local amount = redis.call('GET', KEYS[1])
if amount == false or tonumber(amount) + tonumber(ARGV[1]) < 0 then
  return 'FAILURE'
end
redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], 'op', 'EX', ARGV[3])
return 'OK'
`;

/** Keeps the result of a call, unless one is kept already. */
export const keepResultScript = `-- Keep result: the first result of a call stays.
-- KEYS[1] result of the call
-- ARGV[1] JSON, or empty; ARGV[2] its life in seconds
-- Result: what is kept
local kept = redis.call('GET', KEYS[1])
if kept then
  return kept
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]
`;

/** Asks whether a message's local transaction was committed. */
export const queryPreparedScript = `-- Query prepared: a message whose barrier is missing is given up, for good.
-- KEYS[1] barrier of the message: <gid>-00-msg-01
-- ARGV[1] life of the barrier in seconds
-- Result: 'OK' its local transaction was committed; 'FAILURE' it was not and never will be
local value = redis.call('GET', KEYS[1])
if value == false then
  redis.call('SET', KEYS[1], 'rollback', 'EX', ARGV[1])
  value = 'rollback'
end
if value == 'rollback' then
  return 'FAILURE'
end
return 'OK'
`;
