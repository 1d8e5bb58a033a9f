//! Does the service hold as a whole? A real one is asked over HTTP: by callers who mean well, by others, and while it is killed.
mod access;
mod answers;
mod child;
mod client;
mod enclave;
mod evidence;
mod hostile;
mod kill;
mod paid;
mod payer;
mod secrets;
mod slow;
mod world;
