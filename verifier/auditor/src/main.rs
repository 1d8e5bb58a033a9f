//! The program `assay-verify`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    assay_auditor::main()
}
