//! A small simulation of Cronofy: calendars that change, and an API that reads their events.

mod api;
mod calendar;
mod event;

pub(crate) use self::api::{Figures, SimulatedApi};
pub(crate) use self::calendar::{Calendar, Kind};
