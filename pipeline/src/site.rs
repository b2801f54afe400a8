//! Asks a running app what it runs, and whether it is well. All that we know of it, it says itself.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use secrecy::ExposeSecret;
use ureq::Agent;
use ureq::config::{Config, RedirectAuthHeaders};
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::judgement::Seen;
use crate::release::{HEALTH, RELEASE, Release};
use crate::stage::App;

/// The router gives an app 30 s for the first byte (H12). A little more, so that its own page comes through.
const PATIENCE: Duration = Duration::from_secs(35);

/// `/release` has less than a kilobyte. Whatever is longer is something else.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Asks apps.
pub struct Sites {
    agent: Agent,
}

impl Sites {
    /// Believes the certificates that this machine believes.
    pub fn new() -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(PATIENCE))
            // A site that moved to a domain of its own redirects; it must not get the password of another.
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            // Each answer by a new connection, so that the router chooses among all dynos.
            .max_idle_connections(0)
            .http_status_as_error(false)
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), Loopback::default());
        Self { agent }
    }

    /// What an app says of itself.
    pub fn look(&self, app: App) -> Seen {
        let release = self.ask(&app, RELEASE).and_then(|text| {
            serde_json::from_str::<Release>(&text).map_err(|_| "/release names no build".to_owned())
        });
        let healthy = self.ask(&app, HEALTH).is_ok();
        Seen { app, release, healthy }
    }

    /// The text of a page, or why there is none.
    fn ask(&self, app: &App, path: &str) -> Result<String, String> {
        let mut request = self.agent.get(app.address.trim_end_matches('/').to_owned() + path);
        if let Some(password) = &app.password {
            let credentials = BASE64.encode(format!("pipeline:{}", password.expose_secret()));
            request = request.header("Authorization", format!("Basic {credentials}"));
        }
        let mut answer = request.call().map_err(|error| error.to_string())?;
        match answer.status().as_u16() {
            200 => {
                let body = answer.body_mut().with_config().limit(LONGEST_ANSWER);
                body.read_to_string().map_err(|error| error.to_string())
            }
            status => Err(format!("{path} answers {status}")),
        }
    }
}

/// Names below `localhost` mean this machine (RFC 6761, 6.3). Browsers know that, the C library does not.
#[derive(Debug, Default)]
struct Loopback(DefaultResolver);

impl Resolver for Loopback {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        if !uri.host().is_some_and(|host| host.ends_with(".localhost")) {
            return self.0.resolve(uri, config, timeout);
        }
        let default = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, uri.port_u16().unwrap_or(default))));
        Ok(addresses)
    }
}
