mod audit;
mod key_counts;
mod overheard;
mod own_reader;
mod parity;
mod query_plans;
