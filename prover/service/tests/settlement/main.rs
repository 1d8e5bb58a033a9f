//! Does the money go where it should, once, whatever happens on the way? The service's ledger, payments by x402, and the settler.
mod bundles;
mod chain;
mod enclave;
mod exchange;
mod hostile;
mod kill;
mod lossy;
mod model;
mod presence;
mod refunds;
mod requests;
mod reserving;
mod restarts;
mod samples;
mod sender;
mod settling;
mod world;
