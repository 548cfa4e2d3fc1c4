-- The last checkpoint of each trail that each witness has. A witness is written as pages show it, without a secret.
CREATE TABLE checkpoint_witnesses (
    trail_id TEXT COLLATE "C" NOT NULL REFERENCES audit_trails (id),
    witness TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    checkpoint TEXT NOT NULL,
    witnessed_at BIGINT NOT NULL,
    PRIMARY KEY (trail_id, witness)
);
