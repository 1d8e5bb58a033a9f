#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cli;

/// Proving allocates and frees large buffers all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
