//! Why a request was refused, as a problem: which status and which stable code.
use axum::http::StatusCode;

use super::problem::Problem;
use crate::backends::ExecuteError;
use crate::data::RecordError;
use crate::inference::{Refused, RequestError};
use crate::models::FloatError;
use crate::payments::reserve::ReserveError;
use crate::serve::Service;

/// The problem of a refusal.
pub fn problem(service: &Service, refused: &Refused) -> Problem {
    let new = |status, code| Problem::new(status, code, refused);
    let retry = service.config.limits.backlog.min(std::time::Duration::from_secs(5));
    match refused {
        Refused::Request(RequestError::Json(_)) => new(StatusCode::BAD_REQUEST, "json"),
        Refused::Request(RequestError::Engine(_)) => new(StatusCode::BAD_REQUEST, "engine"),
        Refused::Request(RequestError::Deadline) => new(StatusCode::BAD_REQUEST, "deadline"),
        Refused::Request(RequestError::Tensor { .. }) => new(StatusCode::UNPROCESSABLE_ENTITY, "tensor"),
        Refused::Request(RequestError::Input(_)) => new(StatusCode::UNPROCESSABLE_ENTITY, "input"),
        Refused::Model(_) => new(StatusCode::NOT_FOUND, "model"),
        Refused::NotReady { .. } => new(StatusCode::CONFLICT, "model_not_ready").retry_after(retry),
        Refused::Mode(_) => new(StatusCode::NOT_IMPLEMENTED, "mode"),
        Refused::Float => new(StatusCode::UNPROCESSABLE_ENTITY, "mode"),
        Refused::Engine(_) => new(StatusCode::UNPROCESSABLE_ENTITY, "engine"),
        Refused::Key => new(StatusCode::BAD_REQUEST, "idempotency_key"),
        Refused::KeyUsed => new(StatusCode::CONFLICT, "idempotency_key_used"),
        Refused::KeyBusy => new(StatusCode::CONFLICT, "idempotency_key_busy").retry_after(retry),
        Refused::Pay(_) => new(StatusCode::PAYMENT_REQUIRED, "payment_required"),
        Refused::Payment(error, _) => new(StatusCode::PAYMENT_REQUIRED, error.code()),
        Refused::Reserve(ReserveError::Refused(_) | ReserveError::NotAuthorised) => {
            new(StatusCode::PAYMENT_REQUIRED, "payment_not_reserved")
        }
        Refused::Reserve(_) => new(StatusCode::SERVICE_UNAVAILABLE, "ledger_unavailable").retry_after(retry),
        Refused::Busy(after) => new(StatusCode::TOO_MANY_REQUESTS, "busy").retry_after(*after),
        Refused::Execute(ExecuteError::Inputs(_)) => new(StatusCode::UNPROCESSABLE_ENTITY, "input"),
        Refused::Execute(ExecuteError::Float(
            FloatError::Count { .. } | FloatError::Shape(_) | FloatError::Value { .. },
        )) => new(StatusCode::UNPROCESSABLE_ENTITY, "input"),
        Refused::Execute(ExecuteError::Float(FloatError::Run(_) | FloatError::Output { .. })) => {
            new(StatusCode::UNPROCESSABLE_ENTITY, "evaluation")
        }
        Refused::Record(RecordError::Missing(_)) => new(StatusCode::NOT_FOUND, "record"),
        Refused::Record(RecordError::Store(error)) => Problem::internal(error),
        Refused::Record(_) => new(StatusCode::UNPROCESSABLE_ENTITY, "record"),
        Refused::Foreign => new(StatusCode::CONFLICT, "request_exists"),
        Refused::Failed(_) => new(StatusCode::CONFLICT, "request_failed"),
        Refused::Execute(_) | Refused::Load(_) | Refused::Jobs(_) => Problem::internal(refused),
    }
}
