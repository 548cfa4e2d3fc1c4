-- Refused sign-ins whose event is still to be appended. An address without a user gets a row too, without ids: a refusal
-- must not take longer for an address that a user has.
CREATE TABLE refused_sign_ins (
    subject BYTEA NOT NULL,
    refused_at BIGINT NOT NULL,
    company_id TEXT COLLATE "C",
    user_id TEXT COLLATE "C",
    refusals BIGINT NOT NULL,
    client_address TEXT,
    user_agent TEXT,
    request_id TEXT,
    PRIMARY KEY (subject, refused_at)
);
