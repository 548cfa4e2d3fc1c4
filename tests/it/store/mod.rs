mod audit;
mod key_counts;
mod parity;
mod query_plans;
