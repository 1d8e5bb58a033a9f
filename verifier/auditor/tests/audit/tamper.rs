//! Bundles that are changed: each is refused, and by which checks is written down.
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use super::forge::{self, Records};
use super::world::*;
use assay_verifier::audit::{Bundle, Check, Trust};
use assay_verifier::receipt::Receipt;
use assay_verifier::signature::SigningKey;

/// What is changed, how, and a check that catches it.
pub type Row<T> = (&'static str, fn(&mut T), &'static str);

/// What was refused so far.
#[derive(Default)]
pub struct Tampering {
    text: String,
    seen: BTreeSet<&'static str>,
    /// What was not refused, or not by what should catch it.
    wrong: Vec<String>,
    /// Of which bundle, on which chain.
    now: Option<(&'static str, Trust)>,
}

impl Tampering {
    /// What follows is of this bundle.
    pub fn of(&mut self, bundle: &'static str, trust: &Trust) {
        self.now = Some((bundle, trust.clone()));
    }

    /// A bundle is refused, by one check at least.
    pub fn refused(&mut self, who: &str, part: &str, bundle: &Bundle, by: &str) {
        let (what, trust) = self.now.as_ref().unwrap();
        let report = audited(bundle, trust);
        let failing = failing(&report);
        if report.holds() || !failing.contains(&by) {
            self.wrong.push(format!("{what}, {who}, {part}: {failing:?} and not {by}"));
        }
        self.seen.extend(&failing);
        writeln!(self.text, "{what}, {who}, {part}: {}", failing.join(" ")).unwrap();
    }

    /// Fields of a receipt: changed by anyone, and by the node, which signs.
    pub fn receipt(&mut self, bundle: &Bundle, node: &SigningKey, rows: &[Row<Receipt>]) {
        for (part, change, by) in rows {
            let mut changed = bundle.clone();
            change(&mut changed.receipt.receipt);
            self.refused("anyone", &format!("receipt.{part}"), &changed, "receipt_signature");
            changed.receipt = changed.receipt.receipt.sign(node);
            self.refused("the node", &format!("receipt.{part}"), &changed, by);
        }
    }

    /// Parts that somebody changes who can sign nothing.
    pub fn parts(&mut self, bundle: &Bundle, rows: &[Row<Bundle>]) {
        for (part, change, by) in rows {
            let mut changed = bundle.clone();
            change(&mut changed);
            self.refused("anyone", part, &changed, by);
        }
    }

    /// Records that validators change, who lie together and sign.
    pub fn records(&mut self, bundle: &Bundle, rows: &[Row<Records>]) {
        let (what, trust) = self.now.clone().unwrap();
        // The records as they are, in a state that was made anew, hold: what is refused is refused for its change.
        let report = audited(&forge::records(bundle, |_| {}), &trust);
        assert!(report.holds(), "{what}: {report:#?}");
        for (part, change, by) in rows {
            self.refused("the validators", part, &forge::records(bundle, change), by);
        }
    }

    /// Compares with what was refused ever since. Every check is caught at its work.
    pub fn finish(self) {
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tampered.txt");
        if std::env::var_os("ASSAY_BLESS").is_some() {
            std::fs::write(&path, &self.text).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), self.text);
        let codes = Check::ALL.iter().map(|check| check.code());
        let silent: Vec<_> = codes.filter(|code| !self.seen.contains(code)).collect();
        assert_eq!(silent, [""; 0]);
    }
}
