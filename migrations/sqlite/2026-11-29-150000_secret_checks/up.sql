-- What recognizes each secret of the installation's file: a keyed value of a fixed text, which reveals nothing. A name may
-- have several secrets, told apart by their ids.
CREATE TABLE secret_checks (
    name TEXT NOT NULL,
    id TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (name, id)
);
