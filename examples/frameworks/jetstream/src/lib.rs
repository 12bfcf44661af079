//! The parts of the example, which its tests use as well.

pub mod consumer;
pub mod queue;
pub mod receiver;
