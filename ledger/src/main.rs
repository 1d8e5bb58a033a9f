//! The program `assay-ledger`.
fn main() -> anyhow::Result<()> {
    assay_ledger::cli::main()
}
