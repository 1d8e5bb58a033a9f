//! Structured reference strings: made, cut, imported from files of either format, and refused where a file is wrong.
mod files;
mod making;
mod proof;
mod ptau;
mod raw;
mod support;
