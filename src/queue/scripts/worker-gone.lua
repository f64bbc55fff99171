-- ARGV: worker id.

redis.call('ZREM', workers, ARGV[1])
redis.call('HDEL', details, ARGV[1])
return 1
