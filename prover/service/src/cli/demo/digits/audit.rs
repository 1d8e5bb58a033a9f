//! The audit of an answer from its bundle, by the code of `assay-verify`, and of bundles that were tampered with.
use std::path::Path;

use anyhow::Result;
use assay_auditor::{Audited, audited};
use assay_verifier::audit::{Bundle, Evidence, Verdict};
use assay_verifier::statement::Proof;
use assay_verifier::wire;
use clap::Parser;
use serde::Serialize;

/// What an audit said.
#[derive(Serialize)]
pub struct Audit {
    /// Whether all required checks hold.
    pub verified: bool,
    /// The checks.
    pub checks: Vec<Row>,
    /// What is not proven.
    pub not_proven: Vec<&'static str>,
}

/// A check.
#[derive(Serialize)]
pub struct Row {
    /// Its stable code.
    pub code: &'static str,
    /// What holds if it does.
    pub text: &'static str,
    /// `holds`, or why not.
    pub verdict: String,
    /// Whether it holds.
    pub holds: bool,
}

/// A bundle that was tampered with, and what the auditor said.
#[derive(Serialize)]
pub struct Tampered {
    /// What was changed.
    pub what: &'static str,
    /// Whether it was refused.
    pub refused: bool,
    /// The first check that fails.
    pub check: &'static str,
    /// Why.
    pub reason: String,
}

impl Audit {
    /// Audits a bundle's file.
    pub fn of(bundle: &Path, trust: &Path) -> Result<Self> {
        let words = ["assay-verify".into(), bundle.to_path_buf(), "--trust".into(), trust.to_path_buf()];
        let arguments = assay_auditor::Arguments::try_parse_from(words)?;
        let Audited { report, .. } = audited(&arguments)?;
        let row = |row: &assay_verifier::audit::Row| {
            let verdict = match &row.verdict {
                Verdict::Holds => "holds".into(),
                Verdict::Fails(reason) => reason.to_string(),
                Verdict::NotShown(missing) => format!("not shown: {missing}"),
            };
            let holds = matches!(row.verdict, Verdict::Holds);
            Row { code: row.check.code(), text: row.check.text(), verdict, holds }
        };
        Ok(Self {
            verified: report.holds(),
            checks: report.rows.iter().map(row).collect(),
            not_proven: report.unproven.iter().map(|what| what.text()).collect(),
        })
    }
}

/// What is changed, in words, and the change.
type Change = (&'static str, fn(&mut Bundle));

/// Tampers with a bundle in several ways, and audits each.
pub fn tamper(bundle: &Path, trust: &Path) -> Result<Vec<Tampered>> {
    let honest: Bundle = wire::decode(&std::fs::read(bundle)?)?;
    let changes: [Change; 4] = [
        ("another answer in the proof", |bundle| {
            with_proof(bundle, |proof| {
                if let Some(scores) = proof.statement.outputs.first_mut() {
                    scores.swap(0, 1);
                }
            });
        }),
        ("another pixel in the proof", |bundle| {
            with_proof(bundle, |proof| {
                if let Some(pixel) =
                    proof.statement.inputs.public_mut().and_then(|inputs| inputs.first_mut()?.get_mut(28))
                {
                    *pixel = i64::from(*pixel == 0);
                }
            });
        }),
        ("a lower price in the receipt", |bundle| bundle.receipt.receipt.price -= 1),
        ("another payee on the ledger", |bundle| {
            let settlement = bundle.ledger.as_mut().and_then(|ledger| ledger.settlement.as_mut());
            if let Some(byte) = settlement.and_then(|settlement| settlement.value.0.last_mut()) {
                *byte ^= 1;
            }
        }),
    ];
    let mut tampered = Vec::new();
    for (what, change) in changes {
        let mut forged = honest.clone();
        change(&mut forged);
        let file = bundle.with_extension("forged");
        std::fs::write(&file, wire::encode(&forged))?;
        let audit = Audit::of(&file, trust)?;
        let failed = audit.checks.iter().find(|row| !row.holds);
        tampered.push(Tampered {
            what,
            refused: !audit.verified,
            check: failed.map_or("", |row| row.code),
            reason: failed.map_or_else(String::new, |row| row.verdict.clone()),
        });
    }
    Ok(tampered)
}

fn with_proof(bundle: &mut Bundle, change: impl FnOnce(&mut Proof)) {
    if let Evidence::Proof(proven) = &mut bundle.evidence
        && let Ok(mut proof) = wire::decode::<Proof>(&proven.proof.0)
    {
        change(&mut proof);
        proven.proof.0 = wire::encode(&proof);
    }
}
