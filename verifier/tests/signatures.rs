//! Signatures under the rules of ZIP-215, and what receipts bind.
use assay_verifier::digest::{CircuitDigest, Digest32};
use assay_verifier::receipt::{Backend, Claim, Grade, ModelId, Receipt, RequestId, SignedReceipt, Subject};
use assay_verifier::signature::{BadSignature, Domain, PublicKey, Signature, Signed, SigningKey, all_hold, message};
use assay_verifier::wire;

/// Encodings of the points of small order, those that are not canonical included.
const SMALL_ORDER: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
];
/// The order of the group of prime order: an encoding of zero that is not canonical.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

fn bytes(hex: &str) -> [u8; 32] {
    hex.parse::<PublicKey>().unwrap().0
}

fn signed(body: &str) -> Signed {
    let key = SigningKey::from_seed([1; 32]);
    let signature = key.sign(Domain::Receipt, "chain", &body);
    Signed { key: key.public(), message: message(Domain::Receipt, "chain", &body), signature }
}

#[test]
fn a_signature_is_for_one_key_one_domain_one_chain_and_one_body() {
    let good = signed("body");
    assert_eq!(good.verify(), Ok(()));
    let others = [
        message(Domain::Transaction, "chain", &"body"),
        message(Domain::Receipt, "chain2", &"body"),
        message(Domain::Receipt, "chain", &"bodY"),
    ];
    for message in others {
        assert_eq!(Signed { message, ..good }.verify(), Err(BadSignature));
    }
    let key = SigningKey::from_seed([2; 32]).public();
    assert_eq!(Signed { key, ..good }.verify(), Err(BadSignature));
    for half in 0..2 {
        for at in 0..32 {
            let mut changed = good;
            changed.signature.0[half][at] ^= 1;
            assert_eq!(changed.verify(), Err(BadSignature));
        }
    }
}

#[test]
fn points_of_small_order_hold_by_the_rules_alone_and_in_batches() {
    let message = message(Domain::Receipt, "chain", &"Zcash");
    let mut all = vec![signed("one")];
    for key in SMALL_ORDER {
        for point in SMALL_ORDER {
            let signature = Signature([bytes(point), [0; 32]]);
            let edge = Signed { key: PublicKey(bytes(key)), message, signature };
            assert_eq!(edge.verify(), Ok(()), "{key} {point}");
            // A scalar has one encoding.
            let malleable = Signed { signature: Signature([bytes(point), bytes(ORDER)]), ..edge };
            assert_eq!(malleable.verify(), Err(BadSignature));
            assert!(!all_hold(&[malleable]));
            all.push(edge);
        }
    }
    assert!(all_hold(&all));
    all.push(Signed { message, ..signed("two") });
    assert!(!all_hold(&all));
}

#[test]
fn what_is_no_point_is_no_key() {
    let good = signed("body");
    // Of 256 coordinates about half belong to no point.
    let (mut points, mut others) = (0, 0);
    for first in 0..=255u8 {
        let mut key = [0; 32];
        key[0] = first;
        let bad = Signed { key: PublicKey(key), ..good };
        assert_eq!(bad.verify(), Err(BadSignature));
        let by_itself = Signed { key: PublicKey(bytes(SMALL_ORDER[0])), signature: Signature([key, [0; 32]]), ..good };
        // With a key of order one, what holds is that the point is of small order.
        if by_itself.verify().is_ok() {
            points += 1
        } else {
            others += 1
        }
        assert_eq!(all_hold(&[by_itself]), by_itself.verify().is_ok());
    }
    assert_eq!((points, others), (2, 254));
}

#[test]
fn batches() {
    assert!(all_hold(&[]));
    let mut many: Vec<Signed> = (0..20).map(|number| signed(&number.to_string())).collect();
    many.push(many[3]);
    assert!(all_hold(&many));
    for at in 0..many.len() {
        let mut one_bad = many.clone();
        one_bad[at].signature.0[1][0] ^= 1;
        assert!(!all_hold(&one_bad), "{at}");
    }
}

fn receipt() -> Receipt {
    let payer = SigningKey::from_seed([1; 32]).public();
    let request_digest = Digest32([1; 32]);
    Receipt {
        chain_id: "chain".into(),
        request: RequestId::new("chain", payer, 7, request_digest),
        payer,
        client_nonce: 7,
        request_digest,
        model: ModelId::new(payer, "model", "1"),
        subject: Subject::Circuit(CircuitDigest([2; 32])),
        backend: Backend::Vanilla,
        claim: Claim::SignedOnly,
        grade: Grade::Production,
        proving: None,
        inputs: Digest32([3; 32]),
        records: Vec::new(),
        outputs: Digest32([4; 32]),
        node: SigningKey::from_seed([2; 32]).public(),
        price: 70,
        time_ms: 1_500,
        proven: None,
    }
}

#[test]
fn every_byte_of_a_receipt_is_signed() {
    let signed = receipt().sign(&SigningKey::from_seed([2; 32]));
    assert_eq!(signed.verify(), Ok(()));
    let file = wire::encode(&signed);
    assert!(wire::decode::<SignedReceipt>(&file).unwrap() == signed);
    for at in 8..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1;
        if let Ok(changed) = wire::decode::<SignedReceipt>(&changed) {
            assert_eq!(changed.verify(), Err(BadSignature), "byte {at}");
        }
    }
}

#[test]
fn receipts_have_one_encoding() {
    // What is hashed is frozen: a proof's context is made of it.
    let next = receipt().proven(b"a proof");
    assert_eq!((next.proven.unwrap().previous, next.request_id()), (receipt().digest(), receipt().request));
    let frozen = [receipt().digest().to_string(), next.digest().to_string(), receipt().request.to_string()];
    let expected = [
        "ef0643ae528d8fa051ed7a557c8d6352aa91bf4b4fc0b50650be264765dd4752",
        "639319acb7dadc315814f0e7c8354700b15430ab944bb3551e004c715ee44216",
        "b3300f374d2138756647785f2cf0ea410dcf9b471a0697f5b4dd31a371e2c858",
    ];
    assert_eq!(frozen, expected);
}
