mod audit_trail;
mod edges;
mod keys;
mod list;
mod sessions;
mod setup;
mod sign_in;
