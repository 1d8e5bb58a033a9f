//! Does all that is honest hold, whatever happened since, and is everything else said to be open?

use super::world::*;
use assay_ledger::tx::{DeprecateModel, DeregisterNode, Evidence as Shown, Payload};
use assay_verifier::audit::{Check, Evidence, Missing, Question, Scope, Trust, Unproven, Verdict, audit};
use assay_verifier::halo2::srs::Origin;
use assay_verifier::key::Engine;
use assay_verifier::settlement::light::Root;
use assay_verifier::wire;

#[test]
fn settled_proofs_of_both_engines() {
    let mut world = World::new();
    for engine in ["sumcheck", "halo2"] {
        world.settle(engine, 0);
        let bundle = world.bundle(engine, 0);
        let report = audited(&bundle, &world.trust());
        assert!(report.holds() && failing(&report).is_empty() && not_shown(&report).is_empty(), "{report:#?}");
        // All but those of records, upstreams, enclaves and samples, and of the reference string that only one engine has.
        let others = 13 + usize::from(engine == "sumcheck");
        assert_eq!(report.rows.len(), Check::ALL.len() - others, "{report:#?}");
        assert!(report.rows.is_sorted_by(|one, next| one.check < next.check));
        // The bundle is a file and comes back as it was.
        assert_eq!(wire::decode(&wire::encode(&bundle)), Ok(bundle));
        let assurance = report.assurance.unwrap();
        let expected = match assurance.engine {
            Engine::Sumcheck => vec![Unproven::Weights],
            Engine::Halo2 => {
                assert_eq!(assurance.srs.unwrap().origin, Origin::Insecure);
                vec![Unproven::InsecureSrs, Unproven::KeyDerivation]
            }
        };
        let always =
            [Unproven::FloatModel, Unproven::Truth, Unproven::Validators, Unproven::TrustRoot, Unproven::Clock];
        assert_eq!(report.unproven, [expected, always.to_vec()].concat());
        assert_eq!(assurance.soundness_bits.is_some(), assurance.engine == Engine::Sumcheck);
        let shown = report.shown.unwrap();
        assert_eq!(shown.ports.unwrap().outputs.len(), shown.answer.outputs.len());
    }
}

#[test]
fn an_answer_on_the_nodes_word() {
    let mut world = World::new();
    world.settle_with(vanilla().sign(&secret(NODE)), Shown::Signature);
    let mut bundle = world.vanilla_bundle();
    let report = audited(&bundle, &world.trust());
    assert!(report.holds() && not_shown(&report).is_empty(), "{report:#?}");
    assert!(report.verdict(Check::Proof).is_none() && report.verdict(Check::Srs).is_none());
    assert!(report.unproven.contains(&Unproven::Computation));
    assert_eq!(report.shown.unwrap().answer, answer());
    // The answer and the request may be withheld.
    bundle.evidence = Evidence::Signature;
    bundle.request = None;
    let report = audited(&bundle, &world.trust());
    assert!(report.holds());
    assert_eq!(not_shown(&report), ["request_bytes", "inputs", "outputs"]);
    assert!(report.unproven.contains(&Unproven::Answer) && report.unproven.contains(&Unproven::Request));
}

#[test]
fn what_came_after_the_settlement_changes_nothing() {
    let mut world = World::new();
    world.settle("sumcheck", 0);
    let (bundle, trust) = (world.bundle("sumcheck", 0), world.trust());
    let model = bundle.receipt.receipt.model;
    let from = world.node.last().unwrap().height + 1;
    world.send(PUBLISHER, Payload::DeprecateModel(DeprecateModel { model, from, reason: "worse than thought".into() }));
    world.send(NODE, Payload::DeregisterNode(DeregisterNode { reason: "tired".into() }));
    let report = audited(&world.bundle("sumcheck", 0), &trust);
    assert!(report.holds(), "{report:#?}");
    assert_eq!(report.model.unwrap().valid_to, Some(from));
    assert_eq!(report.node.unwrap().valid_to, Some(from + 1));
    // Another registration of the node: the one before lies beside it.
    world.register("https://elsewhere.example");
    let later = world.bundle("sumcheck", 0);
    let report = audited(&later, &trust);
    assert!(report.holds(), "{report:#?}");
    assert_eq!(report.node.as_ref().unwrap().record.endpoint, "https://node.example");
    // The old bundle holds as well.
    assert!(audited(&bundle, &trust).holds());
    // The new registration was not in force then.
    let mut other = later.clone();
    ledger(&mut other).node =
        world.record(&assay_verifier::settlement::keys::node(key(NODE)), report.last.unwrap().height - 1);
    assert_eq!(failing(&audited(&other, &trust)), ["node"]);
}

/// In one block: settled, then deprecated and deregistered. The records end at the settlement's height.
#[test]
fn an_end_in_the_same_block() {
    let mut world = World::new();
    let model = receipt("sumcheck", 0).receipt.model;
    let from = world.node.last().unwrap().height + 2;
    let deprecate = Payload::DeprecateModel(DeprecateModel { model, from, reason: "at once".into() });
    let deregister = Payload::DeregisterNode(DeregisterNode { reason: "at once".into() });
    world.settle_and("sumcheck", 0, [(PUBLISHER, deprecate), (NODE, deregister)]);
    let report = audited(&world.bundle("sumcheck", 0), &world.trust());
    let height = report.settlement.as_ref().unwrap().height;
    assert_eq!(report.node.as_ref().unwrap().valid_to, Some(height));
    assert_eq!(report.model.as_ref().unwrap().valid_to, Some(height));
    assert!(report.holds(), "{report:#?}");
}

#[test]
fn without_a_settlement_only_if_that_is_asked_for() {
    let world = World::new();
    let bundle = unsettled("sumcheck", 0);
    let report = audited(&bundle, &world.trust());
    assert!(!report.holds());
    assert_eq!(failing(&report), [""; 0]);
    assert!(report.unproven.contains(&Unproven::Settlement));
    let question = Question { scope: Scope::Unsettled, ..Question::default() };
    let report = audit(&bundle, &world.trust(), &question);
    assert!(report.holds());
    assert_eq!(report.verdict(Check::Settlement), Some(&Verdict::NotShown(Missing::Ledger)));
    assert_eq!(report.verdict(Check::RequestValues), Some(&Verdict::NotShown(Missing::Values)));
    assert!(report.unproven.contains(&Unproven::Settlement) && !report.unproven.contains(&Unproven::Computation));
    // What there is of a ledger is checked all the same.
    let mut settled = World::new();
    settled.settle("sumcheck", 0);
    let mut bundle = settled.bundle("sumcheck", 0);
    ledger(&mut bundle).node.value.0[40] ^= 1;
    assert!(!audit(&bundle, &settled.trust(), &question).holds());
}

#[test]
fn a_proof_that_is_not_there_yet() {
    let mut world = World::new();
    world.settle("sumcheck", 0);
    let mut bundle = world.bundle("sumcheck", 0);
    bundle.evidence = Evidence::Signature;
    let report = audited(&bundle, &world.trust());
    assert!(!report.holds() && failing(&report).is_empty());
    assert_eq!(report.verdict(Check::Proof), Some(&Verdict::NotShown(Missing::Proof)));
    assert!(report.is_shown(Check::Settlement) && report.unproven.contains(&Unproven::Computation));
}

#[test]
fn roots_and_paths() {
    let mut world = World::new();
    world.settle("sumcheck", 0);
    let (mut bundle, trust) = (world.bundle("sumcheck", 0), world.trust());
    let report = audited(&bundle, &trust);
    let (root, last) = (report.root.unwrap(), report.last.unwrap());
    assert_eq!((root.height, last.height), (1, world.node.last().unwrap().height));
    let at = |now_ms| audit(&bundle, &trust, &Question { now_ms: Some(now_ms), ..Question::default() }).root_age_ms;
    assert_eq!((at(root.time_ms + 5), at(root.time_ms - 5)), (Some(5), Some(-5)));
    // A later header can be trusted, and every header between can be shown.
    let blocks: Vec<_> = (1..=last.height).map(|height| world.path_block(height)).collect();
    ledger(&mut bundle).path = blocks.clone();
    assert!(audited(&bundle, &trust).holds());
    for from in [3, last.height] {
        let block = world.node.light_block(from).unwrap().unwrap();
        let root = Root::Header(block.hash().as_bytes().try_into().unwrap());
        let trust = Trust { root, genesis: None, ..trust.clone() };
        ledger(&mut bundle).path = blocks[from as usize - 1..].to_vec();
        let report = audited(&bundle, &trust);
        assert!(report.holds(), "{report:#?}");
        assert_eq!(report.root.unwrap().height, from);
        assert!(report.unproven.contains(&Unproven::Genesis));
    }
}
