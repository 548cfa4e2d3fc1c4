mod audit;
mod parity;
mod query_plans;
