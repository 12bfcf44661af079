//! Signed requests, sample bodies and a simulated Cronofy, for the tests of an application (feature `testing`).

mod cronofy;
mod payload;
mod sample;
mod schedule;
mod sender;

pub use self::cronofy::{Answer, Attempt, Cronofy, OpenChannel, Outcome};
pub use self::payload::Payload;
pub use self::sample::{Provenance, Sample};
pub use self::schedule::Schedule;
pub use self::sender::{NearMiss, Sender};
