//! The command `listen`, between real sockets.

mod ends;
mod faults;
mod fidelity;
mod limits;
mod output;
mod page;
mod record;
pub(crate) mod support;
