mod audit;
mod captured_sql;
mod key_counts;
mod parity;
mod query_plans;
mod spans;
mod sqlite_flags;
mod thread_reader;
