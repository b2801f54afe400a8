//! What holds of a running program, as an operator and a visitor find it. One executable, in which what waits does so
//! side by side.

mod draining;
mod examples;
mod hostile;
mod lifetime;
mod malformed;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
