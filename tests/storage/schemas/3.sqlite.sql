-- A store as schema 3 was made of, for SQLite. Never changed: it is what users have.

CREATE TABLE cursors (
    group_id INTEGER NOT NULL,
    sink TEXT NOT NULL,
    position INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    owner_id TEXT NOT NULL,
    moved_at REAL NOT NULL,
    PRIMARY KEY (group_id, sink)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE definitions (
    workflow_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (workflow_id, version)
)
 STRICT;

CREATE TABLE leases (
    group_id INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    owner_id TEXT NOT NULL,
    process TEXT NOT NULL,
    expires_at REAL NOT NULL,
    kept_for TEXT DEFAULT '' NOT NULL,
    kept_until REAL DEFAULT 0 NOT NULL,
    pruned_through INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (group_id)
)
 STRICT;

CREATE TABLE log (
    flow_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    group_id INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    owner_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    commit_id TEXT NOT NULL,
    at REAL NOT NULL,
    schema_version INTEGER NOT NULL,
    events BLOB NOT NULL,
    CONSTRAINT one_commit_per_revision UNIQUE (flow_id, revision),
    CONSTRAINT one_commit_per_position UNIQUE (group_id, position)
)
 STRICT;

CREATE TABLE messages (
    sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    group_id INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    flow_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    sent_at REAL NOT NULL,
    deliveries INTEGER NOT NULL,
    delivered_to INTEGER NOT NULL,
    state TEXT NOT NULL,
    outcome TEXT NOT NULL,
    settled_at REAL,
    destination INTEGER,
    CONSTRAINT one_message_per_id UNIQUE (group_id, message_id)
)
 STRICT;

CREATE INDEX messages_dead ON messages (group_id, sequence) WHERE state = 'dead';

CREATE INDEX messages_settled ON messages (settled_at) WHERE state = 'settled';

CREATE INDEX messages_waiting ON messages (group_id, sequence) WHERE state = 'waiting';

CREATE TABLE nodes (
    owner_id TEXT NOT NULL,
    process TEXT NOT NULL,
    offers TEXT NOT NULL,
    expires_at REAL NOT NULL,
    PRIMARY KEY (owner_id)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE runs (
    number INTEGER NOT NULL,
    flow_id TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    instance_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    group_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    started_at REAL,
    ended_at REAL,
    request_id TEXT,
    body BLOB,
    is_given INTEGER NOT NULL,
    is_live INTEGER NOT NULL,
    blocking INTEGER DEFAULT 0 NOT NULL,
    parent TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (number),
    CONSTRAINT one_row_per_run UNIQUE (flow_id),
    CONSTRAINT one_run_per_request UNIQUE (workflow_id, request_id)
)
 STRICT;

CREATE INDEX runs_blocking ON runs (blocking, workflow_id) WHERE blocking = 1;

CREATE INDEX runs_by_parent ON runs (parent, status, created_at, flow_id);

CREATE INDEX runs_given ON runs (group_id, number) WHERE is_given = 1;

CREATE INDEX runs_live ON runs (group_id, flow_id) WHERE is_live = 1;

CREATE INDEX runs_of_instance ON runs (instance_id, workflow_id);

CREATE INDEX runs_of_parent ON runs (parent, instance_id) WHERE parent <> '';

CREATE INDEX runs_of_workflow ON runs (workflow_id, status, created_at, flow_id);

CREATE TABLE store_meta (
    id INTEGER NOT NULL,
    schema_version INTEGER NOT NULL,
    oldest_reader INTEGER NOT NULL,
    group_count INTEGER NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT one_row CHECK (id = 1)
)
 STRICT;

CREATE TABLE workflows (
    workflow_id TEXT NOT NULL,
    latest_version INTEGER NOT NULL,
    latest_instance INTEGER NOT NULL,
    PRIMARY KEY (workflow_id)
)
 WITHOUT ROWID,
 STRICT;

INSERT INTO store_meta (id, schema_version, oldest_reader, group_count, created_at) VALUES (1, 3, 3, 64, 0);

WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 63)
INSERT INTO leases (group_id, generation, owner_id, process, expires_at) SELECT n, 0, '', '', 0 FROM number;
