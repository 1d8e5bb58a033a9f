//! What is said between service and worker does not change unnoticed: workers may be of another version.
use assay_service::jobs::{Progress, Stage};
use assay_service::storage::{BlobId, id_of};
use assay_service::workers::signed::Asked;
use assay_service::workers::{Ask, Beat, HandIn, LetGo, Parts, Task, Trouble};
use assay_verifier::digest::{Digest32, KeyDigest};
use assay_verifier::key::Engine;
use assay_verifier::receipt::RequestId;
use assay_verifier::signature::SigningKey;
use assay_verifier::statement::InputCommitment;
use assay_verifier::wire::{self, Bytes};

fn name(bytes: &[u8]) -> String {
    id_of(bytes).to_string()[..16].to_owned()
}

#[test]
fn messages_are_encoded_as_ever() {
    let parts = Parts {
        engine: Engine::Halo2,
        key: KeyDigest([1; 32]),
        circuit_file: BlobId([2; 32]),
        key_file: BlobId([3; 32]),
        secret: Some([4; 32]),
    };
    let task = Task {
        job: RequestId([5; 32]),
        token: 6,
        lease_ms: 7,
        cost_us: 8,
        parts,
        inputs: vec![vec![-1, 2], vec![]],
        commitment: Some((InputCommitment(vec![[9; 32]]), [10; 32])),
        context: Digest32([11; 32]),
    };
    let beat = Beat { token: 1, progress: Progress { stage: Stage::Sending, percent: 97 } };
    let hand_in = HandIn { token: 1, prove_us: 2, proof: Bytes(vec![3; 5]) };
    let let_go = |trouble| LetGo { token: 1, trouble };
    let messages = [
        wire::encode(&task),
        wire::encode(&Ask { loaded: vec![KeyDigest([1; 32])] }),
        wire::encode(&beat),
        wire::encode(&hand_in),
        wire::encode(&let_go(None)),
        wire::encode(&let_go(Some(Trouble::Missing("a".into())))),
        wire::encode(&let_go(Some(Trouble::Parts("a".into())))),
        wire::encode(&let_go(Some(Trouble::Prover("a".into())))),
    ];
    let names = messages.map(|message| name(&message));
    let expected = [
        "d5a66228829b3636",
        "366901b2af19e7a3",
        "45fd84108f9861c7",
        "760f60c0e7333f60",
        "5893323f68fbfccf",
        "72590e351075a358",
        "f6a088e410528126",
        "6e3ef4aed6b70e34",
    ];
    assert_eq!(names, expected);
    assert_eq!(wire::decode::<Task>(&wire::encode(&task)), Ok(task));
}

#[test]
fn what_a_worker_signs_is_as_ever() {
    // Signed by this version's rules, kept as text.
    let seen = assay_service::workers::signed::Seen::default();
    let asked = Asked { method: "POST", host: "127.0.0.1:8080", path: "/v1/work/lease", body: b"body" };
    let stamp = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c 1700000000000 f12176744ccecbeaba3384801dbd4393 \
                 1d78bda1079948e65c40f575a60726f44fcb49204d39d3278e52fda2a446684640714152ff5ea993dcddb85319664341db1df08017ddd294ec11\
                 c5087a91d70d";
    let worker = seen.check(Some(stamp), &asked, 1_700_000_000_000).unwrap();
    assert_eq!(worker, SigningKey::from_seed([7; 32]).public());
}
