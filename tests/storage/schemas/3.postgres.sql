-- A store as schema 3 was made of, for PostgreSQL. Never changed: it is what users have.

CREATE FUNCTION store_time() RETURNS double precision LANGUAGE sql VOLATILE
AS 'SELECT extract(epoch FROM clock_timestamp())::double precision';

CREATE TABLE cursors (
    group_id INTEGER NOT NULL,
    sink TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    owner_id TEXT COLLATE "C" NOT NULL,
    moved_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (group_id, sink)
)
 WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE definitions (
    workflow_id TEXT COLLATE "C" NOT NULL,
    version INTEGER NOT NULL,
    body BYTEA NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (workflow_id, version)
);

CREATE TABLE leases (
    group_id INTEGER NOT NULL,
    generation BIGINT NOT NULL,
    owner_id TEXT COLLATE "C" NOT NULL,
    process TEXT COLLATE "C" NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL,
    kept_for TEXT COLLATE "C" DEFAULT '' NOT NULL,
    kept_until DOUBLE PRECISION DEFAULT 0 NOT NULL,
    pruned_through BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (group_id),
    CONSTRAINT one_owner_per_generation UNIQUE (group_id, generation)
)
 WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE log (
    flow_id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    group_id INTEGER NOT NULL,
    generation BIGINT NOT NULL,
    owner_id TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    commit_id TEXT COLLATE "C" NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    schema_version INTEGER NOT NULL,
    events BYTEA NOT NULL,
    CONSTRAINT one_commit_per_revision UNIQUE (flow_id, revision),
    CONSTRAINT one_commit_per_position UNIQUE (group_id, position)
);

CREATE TABLE messages (
    sequence BIGSERIAL NOT NULL,
    group_id INTEGER NOT NULL,
    message_id TEXT COLLATE "C" NOT NULL,
    flow_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    body BYTEA NOT NULL,
    sent_at DOUBLE PRECISION NOT NULL,
    deliveries INTEGER NOT NULL,
    delivered_to BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    settled_at DOUBLE PRECISION,
    destination INTEGER,
    PRIMARY KEY (sequence),
    CONSTRAINT one_message_per_id UNIQUE (group_id, message_id)
)
 WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX messages_dead ON messages (group_id, sequence) WHERE state = 'dead';

CREATE INDEX messages_settled ON messages (settled_at) WHERE state = 'settled';

CREATE INDEX messages_waiting ON messages (group_id, sequence) WHERE state = 'waiting';

CREATE TABLE nodes (
    owner_id TEXT COLLATE "C" NOT NULL,
    process TEXT COLLATE "C" NOT NULL,
    offers TEXT COLLATE "C" NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (owner_id)
)
 WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE runs (
    number BIGSERIAL NOT NULL,
    flow_id TEXT COLLATE "C" NOT NULL,
    workflow_id TEXT COLLATE "C" NOT NULL,
    version INTEGER NOT NULL,
    instance_id BIGINT NOT NULL,
    run_id BIGINT NOT NULL,
    group_id INTEGER NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    created_at DOUBLE PRECISION NOT NULL,
    started_at DOUBLE PRECISION,
    ended_at DOUBLE PRECISION,
    request_id TEXT COLLATE "C",
    body BYTEA,
    is_given INTEGER NOT NULL,
    is_live INTEGER NOT NULL,
    blocking INTEGER DEFAULT 0 NOT NULL,
    parent TEXT COLLATE "C" DEFAULT '' NOT NULL,
    PRIMARY KEY (number),
    CONSTRAINT one_row_per_run UNIQUE (flow_id),
    CONSTRAINT one_run_per_request UNIQUE (workflow_id, request_id)
)
 WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

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
    created_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT one_row CHECK (id = 1)
);

CREATE TABLE workflows (
    workflow_id TEXT COLLATE "C" NOT NULL,
    latest_version INTEGER NOT NULL,
    latest_instance BIGINT NOT NULL,
    PRIMARY KEY (workflow_id)
)
 WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

INSERT INTO store_meta (id, schema_version, oldest_reader, group_count, created_at) VALUES (1, 3, 3, 64, store_time());

WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < 63)
INSERT INTO leases (group_id, generation, owner_id, process, expires_at) SELECT n, 0, '', '', 0 FROM number;
