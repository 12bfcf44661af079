//! What looks wrong with a client secret.

use cronofy_webhook::Suspicion::{
    Assignment, Placeholder, Quotes, Reference, Structure, Whitespace,
};
use cronofy_webhook::{Secret, Suspicion, Verifier};
use tracing::Level;

use crate::log::Log;
use crate::support::{CHANGE, OTHER_SECRET, SECRET};

/// Values of the variable and contents of files, as people have set them.
const SUSPICIOUS: [(&str, &[Suspicion]); 61] = [
    ("CRN_real\n", &[Whitespace]),
    ("CRN_real\r", &[Whitespace]),
    ("CRN_real\r\n", &[Whitespace]),
    ("\tCRN_real ", &[Whitespace]),
    ("\u{feff}CRN_real", &[Whitespace]),
    ("\u{200b}CRN_real", &[Whitespace]),
    ("CRN_real\0\0\0", &[Whitespace]),
    ("\u{a0}CRN_real", &[Whitespace]),
    ("\"CRN_real\"", &[Quotes]),
    ("`CRN_real`", &[Quotes]),
    ("\u{201c}CRN_real\u{201d}", &[Quotes]),
    ("\u{2018}CRN_real\u{2019}", &[Quotes]),
    ("'CRN_real'\n", &[Whitespace, Quotes]),
    ("\"\"", &[Quotes]),
    ("\"changeme\"", &[Quotes, Placeholder]),
    ("CRONOFY_CLIENT_SECRET=CRN_real", &[Assignment]),
    ("CRONOFY_CLIENT_SECRET = CRN_real", &[Assignment]),
    ("export CRONOFY_CLIENT_SECRET=CRN_real", &[Assignment]),
    ("export SECRET='CRN_real'", &[Assignment]),
    ("cronofy.client-secret=CRN_real", &[Assignment]),
    ("client_secret: CRN_real", &[Assignment]),
    ("client-secret: CRN_real\n", &[Whitespace, Assignment]),
    (
        "CRONOFY_CLIENT_ID=abc\nCRONOFY_CLIENT_SECRET=CRN_real",
        &[Assignment],
    ),
    ("changeme", &[Placeholder]),
    ("Change-Me!", &[Placeholder]),
    ("<your client secret>", &[Placeholder]),
    ("YOUR_CLIENT_SECRET", &[Placeholder]),
    ("CRONOFY_CLIENT_SECRET", &[Placeholder]),
    ("xxxxxxxx", &[Placeholder]),
    ("XXXX-XXXX", &[Placeholder]),
    ("***", &[Placeholder]),
    ("CRN_****************OID", &[Placeholder]),
    ("••••••••", &[Placeholder]),
    ("[REDACTED]", &[Placeholder]),
    ("undefined", &[Placeholder]),
    ("null", &[Placeholder]),
    ("whsec_c2VjcmV0", &[Placeholder]),
    ("sk_live_51H8", &[Placeholder]),
    ("$CRONOFY_SECRET", &[Reference]),
    ("${CRONOFY_SECRET}", &[Reference]),
    ("$(cat secret)", &[Reference]),
    ("%{CRONOFY_SECRET}", &[Reference]),
    ("{{ .Values.cronofy.secret }}", &[Reference]),
    ("op://vault/cronofy/secret", &[Reference]),
    ("vault:secret/data/cronofy#client_secret", &[Reference]),
    (
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cronofy-AbCdEf",
        &[Reference],
    ),
    ("projects/1/secrets/cronofy/versions/latest", &[Reference]),
    (
        "@Microsoft.KeyVault(SecretUri=https://a.example)",
        &[Reference],
    ),
    ("/run/secrets/cronofy", &[Reference]),
    ("file:///run/secrets/cronofy", &[Reference]),
    ("${CRONOFY_SECRET}\n", &[Whitespace, Reference]),
    ("{\"CRONOFY_CLIENT_SECRET\":\"CRN_real\"}", &[Structure]),
    (
        "{\n  \"client_secret\": \"CRN_real\"\n}\n",
        &[Whitespace, Structure],
    ),
    ("[\"CRN_real\"]", &[Structure]),
    ("cZk3xv2Hn0Jx:CRN_real", &[Structure]),
    ("CRN_real # production", &[Structure]),
    ("# of the application in Germany\nCRN_real", &[Structure]),
    ("CRN_other\nCRN_real", &[Structure]),
    ("CRN_other,CRN_real", &[Structure]),
    ("CRN_real%2Bx", &[Structure]),
    ("\"CRN_real", &[Structure]),
];

#[test]
fn what_looks_wrong_with_a_secret_is_named() {
    for (value, suspicions) in SUSPICIOUS {
        assert_eq!(Secret::new(value).suspicions(), suspicions, "{value:?}");
    }
}

#[test]
fn a_value_that_may_be_a_client_secret_is_not_suspected() {
    for value in [
        SECRET,
        OTHER_SECRET,
        "CRN_an_example",
        "pDY0Oi7TJSP2hfNmZNkm5",
        "pDY0Oi7TJSP2hfNmZNkm5==",
        "sbEVa8Mfx0tcWPbC+6gDkF/rGiL2N1Ho9jJ5yUQwTzE=",
        "sbEVa8Mfx0tcWPbC-6gDkF_rGiL2N1Ho9jJ5yUQwTzE",
        "6a1f0c5de8b24973",
        "/secret+secrets/nullable==",
    ] {
        assert_eq!(Secret::new(value).suspicions(), [], "{value}");
    }
}

#[test]
fn a_suspicious_secret_is_logged_and_used_unchanged() {
    for (value, suspicions) in SUSPICIOUS {
        let (log, _guard) = Log::start();
        let verifier = Verifier::new([Secret::new(value).with_label("2024")]);
        let Ok(verifier) = verifier else {
            assert_eq!(value, "••••••••", "blank");
            continue;
        };
        let events = log.events();
        assert_eq!(events.len(), suspicions.len(), "{value:?}: {events:?}");
        for (event, suspicion) in events.iter().zip(suspicions) {
            let fields = [
                ("index", "0"),
                ("label", "2024"),
                ("suspicion", suspicion.as_str()),
            ];
            event.is(Level::WARN, &fields);
            assert_eq!(event.message, "client secret looks wrong");
            assert!(event.field("remedy").is_some());
            assert!(!format!("{event:?}").contains("CRN_"), "{event:?}");
        }
        let expected = crate::properties::reference::signature(value, CHANGE);
        assert_eq!(verifier.sign(CHANGE).as_bytes(), expected);
    }
}
