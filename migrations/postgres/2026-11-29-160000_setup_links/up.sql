-- The links that open set-up, one for each running server. A server renews its own; a link that is not renewed ends.
CREATE TABLE setup_links (
    token_digest BYTEA NOT NULL PRIMARY KEY,
    renewed_at BIGINT NOT NULL
);
