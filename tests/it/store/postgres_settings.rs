//! Settings of PostgreSQL connections that do not depend on the server's own.

use crate::support::companies::add_company;
use crate::support::{TestServer, database};

#[test]
fn commits_are_synchronous_whatever_the_database_says() {
    let server = TestServer::start();
    if database::postgres().is_none() {
        return;
    }
    let check = |expected: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION refuse_other_commits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF current_setting('synchronous_commit') <> '{expected}' THEN RAISE 'not synchronous'; END IF;
                 RETURN NEW;
             END $$;
             CREATE OR REPLACE TRIGGER refuse_other_commits BEFORE INSERT ON events
             FOR EACH ROW EXECUTE FUNCTION refuse_other_commits();"
        )
    };
    let name = server.database_url.rsplit('/').next().unwrap().split('?').next().unwrap();
    for (setting, expected) in [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")] {
        let set = format!("ALTER DATABASE \"{name}\" SET synchronous_commit = {setting};");
        database::tamper(&server.database_url, &(set + &check(expected)));
        let second = server.second_server();
        add_company(&second.actions, &format!("Company {setting}"));
    }
}
