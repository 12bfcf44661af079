use std::fmt;

use serde::Deserialize;

/// The outcome of a request for delegated access to an account (Enterprise Connect).
///
/// Sent to the `callback_url` of the request, some time after it was accepted. The body has no `notification`: one with
/// an `authorization` in its place is taken for this. With a `code` in it access was granted, with an `error` refused;
/// with both, or neither, it is a [`Notification::Unknown`](crate::Notification::Unknown).
///
/// ```json
/// { "authorization": { "code": "0123456789abcdef0123456789abcdef", "state": "opaque-state" } }
/// ```
///
/// ```json
/// {
///   "authorization": {
///     "error": "access_denied",
///     "error_key": "an.error.key",
///     "error_description": "a human readable reason",
///     "state": "opaque-state"
///   }
/// }
/// ```
///
/// Whether it is signed is not certain: the documentation says that every callback is, and its example of this one
/// shows no signature header. The middleware refuses what is not signed. To receive it unsigned, take it on a route
/// without the layer and parse it with [`Notification::from_slice`](crate::Notification::from_slice). Anybody can send to
/// such a route: give a `state` that nobody guesses with the request, and compare it.
///
/// Source: Cronofy's API documentation, [Enterprise Connect: Delegated Access](https://docs.cronofy.com/developers/api/enterprise-connect/delegated-access). The fields are those that Cronofy's
/// sample applications read: the two bodies above are made up from them.
///
/// ```
/// use cronofy_webhook::Notification;
/// use cronofy_webhook::notification::Authorization;
///
/// let receive = |body: &[u8]| match Notification::from_slice(body) {
///     Notification::Authorization(Authorization { outcome: Ok(code), .. }) => code.as_str().to_owned(),
///     Notification::Authorization(Authorization { outcome: Err(error), .. }) => format!("refused: {error}"),
///     _ => panic!("not an outcome"),
/// };
///
/// assert_eq!(receive(br#"{ "authorization": { "code": "0123456789abcdef" } }"#), "0123456789abcdef");
/// assert_eq!(receive(br#"{ "authorization": { "error": "access_denied" } }"#), "refused: access_denied");
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Authorization {
    /// The outcome of the request: a code to redeem, or why there is none.
    pub outcome: Result<AuthorizationCode, AuthorizationError>,
    /// What your application gave as `state` with its request, so that it can tell which one this is about. Absent:
    /// nothing.
    pub state: Option<String>,
}

/// A code to redeem for access to the account. It expires soon.
///
/// A string on the wire, the `code` of an [`Authorization`]. It is redeemed with the request's `callback_url` as the
/// `redirect_uri`.
///
/// The code is a credential, which [`Debug`] does not print. The body contains it: protect queues that carry bodies.
///
/// Source: Cronofy's API documentation, [Enterprise Connect: Delegated Access](https://docs.cronofy.com/developers/api/enterprise-connect/delegated-access).
///
/// ```
/// use cronofy_webhook::Notification;
///
/// let granted = Notification::from_slice(br#"{ "authorization": { "code": "0123456789abcdef" } }"#);
/// assert_eq!(
///     format!("{granted:?}"),
///     "Authorization(Authorization { outcome: Ok(AuthorizationCode(..)), state: None })",
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationCode(String);

impl AuthorizationCode {
    /// The code. Opaque.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationCode(..)")
    }
}

/// Why delegated access was refused.
///
/// [`Display`](fmt::Display) has the error code and, if there is one, the description.
///
/// ```json
/// {
///   "error": "access_denied",
///   "error_key": "an.error.key",
///   "error_description": "a human readable reason"
/// }
/// ```
///
/// Source: as for [`Authorization`], whose fields these are.
///
/// ```
/// use cronofy_webhook::Notification;
///
/// let Notification::Authorization(refused) = Notification::from_slice(
///     br#"{ "authorization": { "error": "access_denied", "error_description": "a human readable reason" } }"#,
/// ) else {
///     panic!("not an outcome");
/// };
/// let error = refused.outcome.unwrap_err();
/// assert_eq!(error.error, "access_denied");
/// assert_eq!(error.error_key, None);
/// assert_eq!(error.to_string(), "access_denied: a human readable reason");
/// ```
///
/// A field that is [absent or invalid](super#leniency) is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizationError {
    /// The error code: `"access_denied"`, for example, as in OAuth 2.0.
    pub error: String,
    /// Machine-readable error key. Its values are not documented.
    pub error_key: Option<String>,
    /// What went wrong, for people.
    pub error_description: Option<String>,
}

impl fmt::Display for AuthorizationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        match &self.error_description {
            Some(description) => write!(f, ": {description}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for AuthorizationError {}

/// `authorization` as it is on the wire.
#[derive(Deserialize)]
pub(super) struct Fields {
    code: Option<String>,
    error: Option<String>,
    error_key: Option<String>,
    error_description: Option<String>,
    state: Option<String>,
}

impl Fields {
    pub(super) fn into_authorization(self) -> Result<Authorization, &'static str> {
        let outcome = match (self.code, self.error) {
            (Some(code), None) => Ok(AuthorizationCode(code)),
            (None, Some(error)) => Err(AuthorizationError {
                error,
                error_key: self.error_key,
                error_description: self.error_description,
            }),
            (Some(_), Some(_)) => return Err("both `code` and `error`"),
            (None, None) => return Err("neither `code` nor `error`"),
        };
        Ok(Authorization {
            outcome,
            state: self.state,
        })
    }
}
