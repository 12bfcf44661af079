//! Properties, each stated once as a plain function of bytes. The tests check them for the seeds and for generated input,
//! and the fuzz targets, which include this folder, for the inputs of the fuzzer.

mod delivery;
mod json;
mod middleware;
mod notification;
pub(crate) mod reference;
mod signature;

pub(crate) use self::delivery::delivery;
pub(crate) use self::json::json;
pub(crate) use self::middleware::middleware;
pub(crate) use self::notification::notification;
pub(crate) use self::signature::signature;
