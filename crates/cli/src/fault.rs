//! What goes wrong on the way.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use http::StatusCode;
use jiff::SignedDuration;

/// A fault, and how many of 100 attempts have it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) effect: Effect,
    percent: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Effect {
    /// The request is posted later.
    Delay(Duration),
    /// The request is posted, and another status takes the place of that of the answer.
    Status(StatusCode),
    /// Nothing is posted.
    Drop,
}

impl Fault {
    /// Parses `delay=6s`, `status=503` or `drop`, each with or without `@10%`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (effect, percent) = match text.split_once('@') {
            Some((effect, percent)) => (effect, parse_percent(percent)?),
            None => (text, 100.0),
        };
        let effect = match effect.split_once('=') {
            Some(("delay", time)) => Effect::Delay(parse_duration(time)?),
            Some(("status", status)) => {
                let status = status
                    .parse()
                    .map_err(|_| format!("{status:?} is not a status"))?;
                Effect::Status(status)
            }
            None if effect == "drop" => Effect::Drop,
            _ => return Err("it is none of delay=6s, status=503 and drop".to_owned()),
        };
        Ok(Self { effect, percent })
    }
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let percent = text
        .strip_suffix('%')
        .and_then(|percent| percent.parse().ok());
    percent
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| format!("{text:?} is not a percentage: write 10%"))
}

/// Parses `24h`, `1h30m` or `6s`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text
        .parse()
        .map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(duration).map_err(|_| "a duration cannot be negative".to_owned())
}

/// Draws the faults of each attempt.
pub(crate) struct Faults {
    faults: Vec<Fault>,
    rng: Mutex<Rng>,
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>, seed: u64) -> Self {
        Self {
            faults,
            rng: Mutex::new(Rng::with_seed(seed)),
        }
    }

    pub(crate) fn exist(&self) -> bool {
        !self.faults.is_empty()
    }

    /// What goes wrong with the next attempt.
    pub(crate) fn draw(&self) -> Vec<Effect> {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let drawn = self
            .faults
            .iter()
            .filter(|fault| rng.f64() * 100.0 < fault.percent);
        drawn.map(|fault| fault.effect).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_parsed() {
        let parse = |text| Fault::parse(text).unwrap();
        let delay = Effect::Delay(Duration::from_millis(1500));
        assert_eq!(
            parse("delay=1s500ms@12.5%"),
            Fault {
                effect: delay,
                percent: 12.5
            }
        );
        let status = Effect::Status(StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            parse("status=503"),
            Fault {
                effect: status,
                percent: 100.0
            }
        );
        assert_eq!(
            parse("drop@0%"),
            Fault {
                effect: Effect::Drop,
                percent: 0.0
            }
        );
        for text in [
            "",
            "drop@",
            "drop@10",
            "drop@101%",
            "drop@-1%",
            "drop@NaN%",
            "delay",
            "delay=-1s",
            "delay=6",
            "status=99",
            "drop=1",
        ] {
            assert!(Fault::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_share_of_the_attempts_is_drawn_the_same_with_the_same_seed() {
        let draw = |seed| {
            let faults = Faults::new(vec![Fault::parse("drop@10%").unwrap()], seed);
            (0..10_000).map(|_| faults.draw().len()).collect::<Vec<_>>()
        };
        let drawn = draw(1);
        assert!((900..1100).contains(&drawn.iter().sum::<usize>()));
        assert_eq!(drawn, draw(1));
        assert_ne!(drawn, draw(2));
    }
}
