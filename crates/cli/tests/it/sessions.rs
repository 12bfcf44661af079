//! The help texts, and sessions as a user would type them.

use trycmd::TestCases;

use crate::support::{SECRET, receiver};

#[test]
fn the_output_is_as_recorded() {
    let cases = TestCases::new();
    cases
        .env("CRONOFY_CLIENT_SECRET", SECRET)
        .env("CRONOFY_WEBHOOK_TO", receiver())
        .env("COLUMNS", "100")
        .case("tests/cmd/*.trycmd");
}
