//! Who calls: an extractor that takes the API key from `Authorization: Bearer`, or from `x-api-key` as Anthropic's clients send it, and lets through who may do what the endpoint does.
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};

use super::problem::Problem;
use crate::access::{Caller, Denied, Scope};
use crate::serve::Service;

/// What an endpoint asks for.
pub trait Asks {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! asks {
    ($($(#[$doc:meta])* $name:ident $scope:ident,)*) => { $(
        $(#[$doc])*
        pub struct $name;
        impl Asks for $name {
            const SCOPE: Scope = Scope::$scope;
        }
    )* };
}

asks! {
    /// To read.
    Reads Read,
    /// To infer.
    Infers Infer,
    /// To publish.
    Publishes Publish,
    /// To prove.
    Works Worker,
    /// To run the service.
    Administers Admin,
}

/// A caller who may do what the endpoint does.
pub struct Allowed<A>(pub Caller, pub std::marker::PhantomData<A>);

impl<A: Asks + Send> FromRequestParts<Arc<Service>> for Allowed<A> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Problem> {
        let text = |value: Option<&'_ HeaderValue>| value.and_then(|value| value.to_str().ok().map(str::to_owned));
        let bearer = text(parts.headers.get(header::AUTHORIZATION));
        let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ").map(|key| key.trim().to_owned()));
        let key = bearer.or_else(|| text(parts.headers.get("x-api-key")));
        let caller = service.door.caller(key.as_deref()).map_err(|denied| match denied {
            Denied::Unknown => {
                Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "give an API key as `Authorization: Bearer KEY`")
            }
            Denied::TooFast(after) => {
                let problem =
                    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many requests with this key");
                problem.retry_after(after)
            }
        })?;
        if caller.may(A::SCOPE) {
            return Ok(Self(caller, std::marker::PhantomData));
        }
        let scope = format!("{:?}", A::SCOPE).to_lowercase();
        Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", format!("the API key lacks the scope {scope}")))
    }
}
