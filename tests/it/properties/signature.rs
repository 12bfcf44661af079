use cronofy_webhook::{SecretError, Verifier};

use super::reference::{self, Verdict};

/// `Verifier` agrees with the reference on every header, down to the counts, and signs as the reference does.
///
/// The input is up to four secrets, a line each, a header as in [`reference::headers`], and a body, with a zero byte
/// after each but the last.
pub(crate) fn signature(input: &[u8]) {
    let mut parts = input.splitn(3, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (secrets, header, body) = (String::from_utf8_lossy(part()), part(), part());
    let secrets: Vec<&str> = secrets.split('\n').take(4).collect();

    let blank = secrets
        .iter()
        .position(|secret| reference::is_blank(secret));
    let verifier = match (Verifier::new(secrets.iter().copied()), blank) {
        (Ok(verifier), None) => verifier,
        (Err(SecretError::Blank { index, .. }), Some(blank)) => return assert_eq!(index, blank),
        (made, blank) => panic!("blank: {blank:?}, but {made:?}"),
    };

    let signatures: Vec<Vec<u8>> = secrets
        .iter()
        .map(|secret| reference::signature(secret, body))
        .collect();
    assert_eq!(verifier.sign(body).as_bytes(), signatures.join(&b','));

    let headers = reference::headers(header, &secrets, body);
    let verdict = match verifier.verify(&headers, body) {
        Ok(signature) => Verdict::from(&signature),
        Err(error) => Verdict::from(&error),
    };
    assert_eq!(verdict, reference::verdict(&secrets, &headers, body));
}
