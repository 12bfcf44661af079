//! Guides for operating a receiver. There is no code here.
//!
//! - [My deliveries get 401](unauthorized): from the log line to the cause.
//! - [Slow handlers](slow_handlers): what happens at the deadline, where to store notifications, and how to shut down.
//! - [Deployment](deployment): the order of layers, TLS, proxies, Kubernetes, several applications, and how to create a channel.
//! - [Other frameworks](other_frameworks): the layer around a Tower service, or the check alone.
//! - [Callback URL](callback_url): reject deliveries that were made for another URL, and what a wrong one costs.
//! - [Overload](overload): limits on the handlers that run.
//! - [Events](events): what is logged, and at which level.
//! - [Metrics](metrics): what is counted and measured.

#[doc = include_str!("documentation/unauthorized.md")]
pub mod unauthorized {}

#[doc = include_str!("documentation/slow_handlers.md")]
pub mod slow_handlers {}

#[doc = include_str!("documentation/deployment.md")]
pub mod deployment {}

#[doc = include_str!("documentation/other_frameworks.md")]
pub mod other_frameworks {}

#[doc = include_str!("documentation/callback_url.md")]
pub mod callback_url {}

#[doc = include_str!("documentation/overload.md")]
pub mod overload {}

#[doc = include_str!("documentation/events.md")]
pub mod events {}

#[doc = include_str!("documentation/metrics.md")]
pub mod metrics {}
