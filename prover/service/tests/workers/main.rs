//! Workers and the desk: proofs are made, checked before anybody hears of them, and refused for every way in which they can be wrong.
mod forged;
mod golden;
mod pool;
mod private;
mod world;
