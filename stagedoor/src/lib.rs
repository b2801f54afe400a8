//! What an actix-web app needs behind Heroku's router, and to be released there in stages.
//!
//! Take the whole of it ([`Program`]), the middleware alone ([`Duties`]), or the settings and the check alone
//! ([`Program::run`], [`load`]). Each way is an example in `stagedoor/examples/`. Nothing is global unless
//! [`Program::serve`] is used: no subscriber, no panic hook.
//!
//! | question | file |
//! |---|---|
//! | What does the command line do? | `program.rs` |
//! | What can be set, and what if it is set wrong? | `settings.rs`: `settings/platform.rs` has the rules, `site_url.rs` those of an address, `reader.rs` how one is read, `meant.rs` what a wrong one was meant to be, `variables.rs` and `dot_env.rs` where from, `report.rs`, `text.rs` and `settings/dot_env/fault.rs` what the operator is told |
//! | What happens to a request, in order? | `duties.rs` |
//! | Which release runs here? | `release.rs`, `routes.rs`, `digest.rs` |
//! | Who is turned away? | `guards.rs`, `target.rs` |
//! | What is on every answer? | `headers.rs`, `request_id.rs` |
//! | How are HEAD, 405 and bodies handled? | `methods.rs`, `body.rs`, `streamed.rs`; targets that no page can have: `guards.rs` |
//! | How is a page sent: gzip, `ETag`, 304, 412? | `representation.rs`, `format.rs`, `lists.rs` |
//! | What does a visitor see when something fails? | `errors.rs` |
//! | What does a line of the log hold? | `log.rs`; how it is written: `log/json.rs`, `log/output.rs`; who asked: `client.rs`; panics: `panics.rs` |
//! | How does it start and stop? | `server.rs`, `listen.rs`, `connections.rs`, `signals.rs` |
//! | How long does a connection last, and what may it hold? | `http.rs`, `stream.rs` |

/// Runs the code in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod body;
mod client;
mod connections;
mod digest;
mod duties;
mod errors;
mod format;
mod guards;
mod headers;
mod http;
mod listen;
mod lists;
mod log;
mod methods;
mod panics;
mod program;
mod release;
mod representation;
mod request_id;
mod routes;
mod server;
mod settings;
mod signals;
mod stream;
mod streamed;
mod target;

pub use duties::Duties;
pub use errors::ErrorPage;
pub use format::Format;
pub use program::{Program, Site};
pub use release::{Build, Release};
pub use representation::{Caching, Representation};
pub use request_id::RequestId;
pub use settings::reader::Reader;
pub use settings::report::{Problem, Report};
pub use settings::variables::Variables;
pub use settings::{Environment, Heroku, LogFormat, Settings, load};
