use std::fmt;

/// What can be wrong with a secret, a body or a signature.
///
/// How certain a [`Finding`](crate::Finding) of each can be is in the [crate docs](crate).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mistake {
    /// The secret has white space or a byte-order mark at an end.
    SecretWhitespace,
    /// The secret is in quotes.
    SecretQuoted,
    /// The secret is Base64-encoded.
    SecretBase64,
    /// The secret is hex-encoded.
    SecretHex,
    /// The secret was decoded from Base64 or hex, although it is text.
    SecretDecoded,
    /// The secret has lost its prefix `CRN_`.
    SecretWithoutPrefix,
    /// The secret is percent-encoded.
    SecretPercentEncoded,
    /// A placeholder, a masked value or the secret of another service is in the place of the secret.
    SecretPlaceholder,
    /// The secret is a line of a settings file: `NAME=value`.
    SecretAssignment,
    /// A reference, such as `${NAME}` or `arn:…`, is in the place of the secret.
    SecretReference,
    /// The secret has a character that no client secret has: it is JSON, several lines, `id:secret`, has a comment.
    SecretStructure,
    /// The secret is empty: the variable is not set, usually. Only [`probes`](crate::probes) make it.
    SecretEmpty,
    /// The JSON of the body was parsed and serialised again: other white space or other escapes.
    BodyReserialised,
    /// The fields of the JSON were put in another order: sorted, usually.
    BodyKeysReordered,
    /// A final newline was added or lost, or LF and CRLF were converted.
    BodyNewline,
    /// A byte-order mark was added or lost.
    BodyByteOrderMark,
    /// UTF-8 was read or written as Latin-1.
    BodyLatin1,
    /// The body is Base64-encoded, as [AWS Lambda](https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html) passes it on.
    BodyBase64,
    /// The body is the field `payload` of a form.
    BodyFormEncoded,
    /// The body is JSON inside a JSON string.
    BodyJsonString,
    /// The body was read before: no byte of it is left.
    BodyEmptied,
    /// `Content-Length` is not the number of bytes that were seen.
    BodyLength,
    /// The body is compressed (gzip or Zstandard).
    BodyCompressed,
    /// The body has U+FFFD, which replaces what could not be decoded.
    BodyReplacementCharacter,
    /// The signature is in hex, or the Base64 of hex.
    SignatureHex,
    /// The signature has a prefix such as `sha256=`.
    SignaturePrefixed,
    /// The signature is in the URL-safe alphabet of Base64.
    SignatureUrlSafe,
    /// The signature has lost its padding.
    SignatureUnpadded,
    /// The signature is in quotes.
    SignatureQuoted,
    /// Signatures are separated by something other than commas.
    SignatureSeparator,
    /// What is listed has the length of a SHA-1 or a SHA-512.
    SignatureOtherHash,
    /// The HMAC was computed with the body as the key and the secret as the message.
    KeyAndMessageSwapped,
    /// A plain SHA-256 was computed, of the body or of secret and body one after the other.
    PlainSha256,
    /// The request has the signature header of another provider.
    OtherProvider,
    /// Several signatures are listed, and none was made with one of the secrets.
    OtherApplication,
}

impl Mistake {
    /// All of them.
    pub const ALL: &'static [Self] = &{
        let mut all = [Self::SecretWhitespace; TEXTS.len()];
        let mut index = 0;
        while index < all.len() {
            all[index] = TEXTS[index].0;
            index += 1;
        }
        all
    };

    /// The name, as events give it: `"secret_quoted"`, say. It does not change between releases.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// What is wrong and what to do, as a sentence: `"the client secret has quotes around it: store it without them"`, say.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        &TEXTS[self as usize]
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Each with its name and its sentence, in the order of the enum.
#[rustfmt::skip]
const TEXTS: [(Mistake, &str, &str); 35] = [
    (Mistake::SecretWhitespace, "secret_whitespace", "the client secret has white space or a byte-order mark at an end: store it without one, for example with `printf` instead of `echo`"),
    (Mistake::SecretQuoted, "secret_quoted", "the client secret has quotes around it: store it without them (`docker --env-file` keeps quotes)"),
    (Mistake::SecretBase64, "secret_base64", "the client secret is Base64-encoded: store the text that the Cronofy dashboard shows (a Kubernetes secret is encoded once, not twice)"),
    (Mistake::SecretHex, "secret_hex", "the client secret is hex-encoded: store the text that the Cronofy dashboard shows"),
    (Mistake::SecretDecoded, "secret_decoded", "the client secret was decoded although it is text: use it exactly as the Cronofy dashboard shows it"),
    (Mistake::SecretWithoutPrefix, "secret_without_prefix", "the client secret lacks its prefix `CRN_`: use it exactly as the Cronofy dashboard shows it"),
    (Mistake::SecretPercentEncoded, "secret_percent_encoded", "the client secret is percent-encoded: store the text that the Cronofy dashboard shows"),
    (Mistake::SecretPlaceholder, "secret_placeholder", "the client secret is a placeholder, masked or that of another service: set the client secret that the Cronofy dashboard shows"),
    (Mistake::SecretAssignment, "secret_assignment", "the client secret is a line of a settings file: set the value alone, without a name"),
    (Mistake::SecretReference, "secret_reference", "the client secret is a reference that nothing has resolved: set the value that it refers to"),
    (Mistake::SecretStructure, "secret_structure", "the client secret has a character that no client secret has (JSON, several lines, `id:secret` or a comment): set the value alone"),
    (Mistake::SecretEmpty, "secret_empty", "the client secret is empty, so that anybody can sign: set the variable that the receiver reads"),
    (Mistake::BodyReserialised, "body_reserialised", "the JSON of the body was parsed and serialised again: check the signature over the bytes as received, before any layer or proxy that rewrites them"),
    (Mistake::BodyKeysReordered, "body_keys_reordered", "the JSON of the body was serialised again with its keys in another order: check the signature over the bytes as received, before any layer or proxy that rewrites them"),
    (Mistake::BodyNewline, "body_newline", "newlines were added to the body, removed or converted: forward the bytes as received (`curl --data-binary`, not `--data`)"),
    (Mistake::BodyByteOrderMark, "body_byte_order_mark", "a byte-order mark was added to the body or removed: forward the bytes as received"),
    (Mistake::BodyLatin1, "body_latin1", "the body, which is UTF-8, was read or written as Latin-1: forward the bytes without converting them to text"),
    (Mistake::BodyBase64, "body_base64", "the body is Base64-encoded: decode it first (AWS Lambda sets `isBase64Encoded`)"),
    (Mistake::BodyFormEncoded, "body_form_encoded", "the body is in the form field `payload`: pass the JSON on as the body itself"),
    (Mistake::BodyJsonString, "body_json_string", "the body is JSON inside a JSON string: it was serialised twice, so pass the bytes on as received"),
    (Mistake::BodyEmptied, "body_emptied", "the body is empty, as something has read it before: check the signature first, or keep the bytes for it"),
    (Mistake::BodyLength, "body_length", "the body does not have the length that Content-Length declares: it was rewritten in this process, so check the signature before what decompresses or parses it"),
    (Mistake::BodyCompressed, "body_compressed", "the body is compressed: the signature is that of the uncompressed bytes, so find out what compresses them on the way"),
    (Mistake::BodyReplacementCharacter, "body_replacement_character", "the body has U+FFFD in the place of characters that were lost in decoding: forward the bytes without converting them to text"),
    (Mistake::SignatureHex, "signature_hex", "the signature is written in hex: Cronofy sends Base64 of the 32 bytes"),
    (Mistake::SignaturePrefixed, "signature_prefixed", "the signature has a prefix such as `sha256=`: Cronofy sends none"),
    (Mistake::SignatureUrlSafe, "signature_url_safe", "the signature is in the URL-safe alphabet of Base64: Cronofy uses the standard one"),
    (Mistake::SignatureUnpadded, "signature_unpadded", "the signature lacks its final `=`: Cronofy sends padded Base64"),
    (Mistake::SignatureQuoted, "signature_quoted", "the signature has quotes around it: Cronofy sends none"),
    (Mistake::SignatureSeparator, "signature_separator", "the signatures are separated by spaces or semicolons: Cronofy separates them by commas"),
    (Mistake::SignatureOtherHash, "signature_other_hash", "the signature has the length of a SHA-1 or SHA-512: Cronofy signs with HMAC-SHA256"),
    (Mistake::KeyAndMessageSwapped, "key_and_message_swapped", "the signature was made with key and message swapped: the client secret is the key, the body is the message"),
    (Mistake::PlainSha256, "plain_sha256", "the signature is a plain SHA-256: Cronofy signs with HMAC-SHA256"),
    (Mistake::OtherProvider, "other_provider", "the request has another provider's signature header: it was not sent by Cronofy, so check which URL is registered where"),
    (Mistake::OtherApplication, "other_application", "the signatures belong to another application: check that the client secret is that of the application which opened the channel"),
];

// A row is found by its place.
const _: () = {
    let mut index = 0;
    while index < TEXTS.len() {
        assert!(TEXTS[index].0 as usize == index);
        index += 1;
    }
};
