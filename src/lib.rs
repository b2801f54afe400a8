//! Callboard: the reference web app for staged deploys of Rust on Heroku.
//!
//! One page, whose message changes with each release. One build, which runs unchanged on your machine,
//! on staging and in production: every difference between them is an environment variable.
//!
//! | question | file |
//! |---|---|
//! | Where is the message, and how large is it set? | [`index`], [`poster`] |
//! | What can be set, and what if it is set wrong? | [`settings`] |
//! | What happens to a request, in order? | [`app`] |
//! | Which release runs here? | [`release`], [`digest`] |
//! | Who is turned away? | [`guards`], [`target`] |
//! | What is on every answer? | [`headers`], [`request_id`] |
//! | How is a page sent: gzip, `ETag`, 304? | [`representation`], [`negotiate`], [`assets`] |
//! | What does a visitor see when something fails? | [`errors`] |
//! | What does the operator see? | [`logs`], [`client`], [`settings::report`] |
//! | How does it start and stop? | [`server`], [`connections`], [`signals`], `main.rs` |

pub mod app;
pub mod assets;
pub mod client;
pub mod connections;
pub mod digest;
pub mod errors;
pub mod guards;
pub mod headers;
pub mod index;
pub mod logs;
pub mod negotiate;
pub mod poster;
pub mod release;
pub mod representation;
pub mod request_id;
pub mod server;
pub mod settings;
pub mod signals;
pub mod target;
