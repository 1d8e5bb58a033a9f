//! Does somebody with x402's wire types pay exactly once for exactly what they asked for?
use assay_service::payments::PAYMENT_RESPONSE;
use assay_verifier::audit::Scope;
use serde_json::{Value, json};
use x402_types::proto::v1::SettleResponse;

use crate::client::*;
use crate::evidence::audited;
use crate::payer::*;
use crate::world::World;

const PRICE: u64 = 20;
const DEPOSIT: u64 = 10_000;

fn world() -> (World, Value) {
    let world = World::start(|raw| {
        raw.payment = Some("x402".into());
        raw.accounts = [(payer().public().to_string(), BALANCE)].into();
    });
    let model = world.client.publish(&Model::digits(PRICE));
    (world, model)
}

fn paid(client: &Client, body: &Value, header: &str) -> Answer {
    client.send_with("/v1/inference", &signed(header), body)
}

#[test]
fn an_answer_is_paid_for_proven_settled_and_audited() {
    let (world, model) = world();
    let client = &world.client;
    deposit(client, DEPOSIT);
    let mut body = request(&model, 1);
    let mut spent = 0;
    for mode in ["zkml", "vanilla"] {
        body["mode"] = mode.into();
        let required = client.send("/v1/inference", &body);
        assert_eq!(required.problem(), (402, "payment_required".into()));
        assert_eq!(offer(&required).amount, PRICE.to_string());
        let header = pay(&required);
        let answer = paid(client, &body, &header).good();
        let job = answer.json();
        assert_eq!(job["states"]["payment"], "reserved");
        let told: Value = decoded(answer.header(PAYMENT_RESPONSE));
        assert_eq!((&told["amount"], &told["request"]), (&json!(PRICE.to_string()), &job["id"]));
        assert_eq!(text(&told["transaction"]).len(), 64, "the transaction that set the money aside is named");
        assert!(matches!(decoded(answer.header(PAYMENT_RESPONSE)), SettleResponse::Success { .. }));

        // The same payment again is the same request, before and after it is settled.
        let again = paid(client, &body, &header).good().json();
        assert_eq!((&again["id"], &again["receipt"]["time_ms"]), (&job["id"], &job["receipt"]["time_ms"]));
        let done = client.over(text(&job["id"]));
        assert_eq!(
            (&done["states"]["settlement"], &done["states"]["payment"]),
            (&json!("verified"), &json!("captured")),
            "{done}"
        );
        assert_eq!(paid(client, &body, &header).good().json()["id"], job["id"]);
        spent += PRICE;
        assert_eq!(escrow(client), DEPOSIT - spent);
        let report = audited(client, text(&job["id"]), Scope::Settled);
        assert!(report.holds(), "{mode}: {:?}", report.rows);
        assert_eq!(report.settlement.unwrap().price, PRICE);
    }
    assert_eq!(client.get("/v1/jobs")["jobs"].as_array().unwrap().len(), 2);

    // More may be authorised than is charged.
    body["nonce"] = "more".into();
    let header = pay_with(&client.send("/v1/inference", &body), |authorisation| authorisation.amount = 3 * PRICE);
    let job = paid(client, &body, &header).good().json();
    client.over(text(&job["id"]));
    assert_eq!(escrow(client), DEPOSIT - spent - PRICE);
    // Each request of a batch would need its own payment.
    let batch = client.send("/v1/inference:batch", &json!({ "requests": [body] })).good().json();
    assert_eq!(batch["items"][0]["problem"]["code"], "payment_required");
}

#[test]
fn a_payment_that_is_not_one_is_refused_and_costs_nothing() {
    let (world, model) = world();
    let client = &world.client;
    deposit(client, DEPOSIT);
    let body = request(&model, 1);
    let required = client.send("/v1/inference", &body);
    let good = pay(&required);
    let refused = |header: &str, body: &Value| {
        let answer = paid(client, body, header);
        let (status, code) = answer.problem();
        assert_eq!(status, 402);
        assert_eq!(offer(&answer).amount, PRICE.to_string(), "what would do is said again");
        code
    };
    let changed = |change: &dyn Fn(&mut assay_verifier::settlement::payment::Authorisation)| {
        refused(&pay_with(&required, change), &body)
    };
    let sent = |change: &dyn Fn(&mut Value)| refused(&tampered(&good, change), &body);
    assert_eq!(refused("nonsense", &body), "payment_malformed");
    assert_eq!(refused(&"A".repeat(20_000), &body), "payment_malformed");
    assert_eq!(refused(&good, &request(&model, 2)), "payment_request");
    assert_eq!(changed(&|authorisation| authorisation.amount = PRICE - 1), "payment_amount");
    assert_eq!(changed(&|authorisation| authorisation.node = payer().public()), "payment_node");
    assert_eq!(changed(&|authorisation| authorisation.model.0[0] ^= 1), "payment_model");
    assert_eq!(
        changed(&|authorisation| authorisation.backend = assay_verifier::receipt::Backend::Vanilla),
        "payment_backend"
    );
    assert_eq!(changed(&|authorisation| authorisation.deadline_ms = 1), "payment_deadline_past");
    assert_eq!(changed(&|authorisation| authorisation.deadline_ms = u64::MAX), "payment_deadline_far");
    assert_eq!(changed(&|authorisation| authorisation.amount = DEPOSIT + 1), "payment_escrow");
    assert_eq!(sent(&|message| message["accepted"]["network"] = "assay:other".into()), "payment_network");
    assert_eq!(sent(&|message| message["accepted"]["scheme"] = "exact".into()), "payment_scheme");
    assert_eq!(sent(&|message| message["accepted"]["extra"]["quote"]["price"] = "1".into()), "payment_quote");
    assert_eq!(sent(&|message| message["payload"]["authorisation"]["clientNonce"] = "1".into()), "payment_signature");
    assert_eq!(
        sent(&|message| message["payload"]["authorisation"]["payer"] = world.service().node.public().to_string().into()),
        "payment_signature"
    );
    assert_eq!(sent(&|message| message["payload"]["more"] = 1.into()), "payment_malformed");
    // A body that would fail is refused before any money is spoken of.
    let mut wrong = body.clone();
    wrong["inputs"][0]["shape"] = json!([1]);
    assert_eq!(paid(client, &wrong, &good).problem().0, 422);
    assert_eq!(escrow(client), DEPOSIT);
    assert_eq!(client.get("/v1/jobs")["jobs"], json!([]));
}

#[test]
fn money_for_one_is_not_spent_on_two() {
    let (world, model) = world();
    let client = &world.client;
    deposit(client, PRICE + PRICE / 2);
    let attempts: Vec<(Value, String)> = (0..5)
        .map(|number| {
            let body = request(&model, number);
            let header = pay(&client.send("/v1/inference", &body));
            (body, header)
        })
        .collect();
    let ask = || -> Vec<Answer> {
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                attempts.iter().map(|(body, header)| scope.spawn(move || paid(client, body, header))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    };
    let good = |answers: &[Answer]| {
        answers
            .iter()
            .filter(|answer| answer.status == 200)
            .map(|answer| text(&answer.json()["id"]).to_owned())
            .collect::<Vec<_>>()
    };
    let first = ask();
    let [winner] = &good(&first)[..] else { panic!("not one: {first:?}") };
    for answer in first.iter().filter(|answer| answer.status != 200) {
        let code = answer.problem();
        assert!([(402, "payment_escrow".into()), (402, "payment_not_reserved".into())].contains(&code), "{code:?}");
    }
    // Asked again, those that failed say so and do not come to life.
    for answer in ask().iter().filter(|answer| answer.status != 200) {
        let code = answer.problem();
        assert!([(402, "payment_escrow".into()), (409, "request_failed".into())].contains(&code), "{code:?}");
    }
    client.over(winner);
    assert_eq!(good(&ask()), std::slice::from_ref(winner));
    assert_eq!(escrow(client), PRICE / 2);
    for job in client.get("/v1/jobs")["jobs"].as_array().unwrap() {
        let end = if text(&job["id"]) == winner { "captured" } else { "released" };
        assert_eq!((&job["states"]["payment"], &job["states"]["over"]), (&json!(end), &json!(true)), "{job}");
    }
}
