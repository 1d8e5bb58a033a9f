//! The program `assay`.
#![forbid(unsafe_code)]

/// Proving allocates and frees large buffers all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    assay_service::cli::main()
}
