"""The tables of a broker file."""

APPLICATION_ID = 0x4661656E  # "Faen": tells a broker from somebody's database
SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE queues (
    name TEXT PRIMARY KEY,
    owner TEXT,                                  -- the consumer an exclusive queue dies with
    auto_delete INTEGER NOT NULL DEFAULT 0,
    expires REAL,                                -- seconds without consumers
    message_ttl REAL,                            -- seconds
    touched REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE exchanges (name TEXT PRIMARY KEY, type TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO exchanges VALUES ('amq.direct', 'direct'), ('amq.topic', 'topic'), ('amq.fanout', 'fanout');
CREATE TABLE bindings (
    exchange TEXT NOT NULL, queue TEXT NOT NULL, routing_key TEXT NOT NULL, pattern TEXT,
    PRIMARY KEY (exchange, queue, routing_key)
) WITHOUT ROWID;
CREATE INDEX bindings_queue ON bindings (queue);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    redelivered INTEGER NOT NULL DEFAULT 0,
    expires_at REAL,
    reserved_by TEXT,
    reserved_at REAL,
    payload TEXT NOT NULL
);
CREATE INDEX messages_ready ON messages (queue, priority DESC, id) WHERE reserved_by IS NULL;
CREATE INDEX messages_reserved ON messages (reserved_by, queue) WHERE reserved_by IS NOT NULL;
CREATE INDEX messages_expiring ON messages (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE consumers (
    id TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, born REAL NOT NULL,
    heartbeat REAL NOT NULL, port INTEGER
) WITHOUT ROWID;
CREATE TABLE subscriptions (
    consumer TEXT NOT NULL, tag TEXT NOT NULL, queue TEXT NOT NULL,
    PRIMARY KEY (consumer, tag)
) WITHOUT ROWID;
CREATE INDEX subscriptions_queue ON subscriptions (queue);
"""
