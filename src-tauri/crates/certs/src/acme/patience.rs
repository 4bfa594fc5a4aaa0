//! Bad nonces: an authority behind several machines may refuse a request only because another one gave the nonce.

use instant_acme::Error;

/// How often the library's own three tries are repeated. At one refusal in two this fails once in four million requests.
pub(crate) const ROUNDS: u32 = 7;

/// Whether the authority refused a request only for its nonce.
pub(crate) fn is_bad_nonce(error: &Error) -> bool {
    matches!(error, Error::Api(problem)
        if problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:badNonce"))
}

/// Evaluates an expression of type `Result<T, instant_acme::Error>` again while it fails for a bad nonce, and makes the
/// last error a [`super::problem::Failure`] with the transport's `Retry-After`.
macro_rules! patiently {
    ($transport:expr, $attempt:expr) => {{
        let mut round = 0;
        loop {
            match $attempt {
                Err(error)
                    if round < $crate::acme::patience::ROUNDS
                        && $crate::acme::patience::is_bad_nonce(&error) =>
                {
                    round += 1
                }
                Err(error) => {
                    break Err($crate::acme::problem::Failure::of(&error, $transport.retry_after()));
                }
                Ok(value) => break Ok(value),
            }
        }
    }};
}
pub(crate) use patiently;
