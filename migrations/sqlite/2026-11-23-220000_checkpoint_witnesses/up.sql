-- The last checkpoint of each trail that each witness has. A witness is written as pages show it, without a secret.
CREATE TABLE checkpoint_witnesses (
    trail_id TEXT NOT NULL REFERENCES audit_trails (id),
    witness TEXT NOT NULL,
    size BIGINT NOT NULL,
    checkpoint TEXT NOT NULL,
    witnessed_at BIGINT NOT NULL,
    PRIMARY KEY (trail_id, witness)
);
