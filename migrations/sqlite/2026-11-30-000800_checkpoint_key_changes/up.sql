-- The notes with which the key that signs a trail's checkpoints was replaced, numbered from 1.
CREATE TABLE checkpoint_key_changes (
    trail_id TEXT NOT NULL REFERENCES audit_trails (id),
    ordinal BIGINT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (trail_id, ordinal)
);
