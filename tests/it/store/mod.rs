mod audit;
mod key_counts;
mod overheard;
mod parity;
mod query_plans;
