//! Asks over HTTP: which certificates are believed, how long an answer may take, and which way a request goes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ureq::config::{Config, RedirectAuthHeaders};
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::typestate::{WithBody, WithoutBody};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, RequestBuilder, Timeout};

/// A machine that is there takes a connection in less.
const CONNECT: Duration = Duration::from_secs(10);

/// A client.
pub struct Http(Agent);

impl Http {
    /// One whose answers must be complete after so long, and who is redirected so often.
    pub fn new(patience: Duration, redirects: u32) -> Self {
        // Believes the certificates that this machine believes.
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(patience))
            .timeout_connect(Some(CONNECT))
            .max_redirects(redirects)
            .max_redirects_will_error(false)
            // A site that moved to a domain of its own redirects; it must not get the password of another.
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            // Each answer by a new connection, so that the router chooses among all dynos.
            .max_idle_connections(0)
            .http_status_as_error(false)
            .build();
        Self(Agent::with_parts(config, DefaultConnector::default(), Loopback::default()))
    }

    /// Asks for something. Past any proxy where it stays on this machine: `HTTP_PROXY` is for what is outside.
    pub fn get(&self, address: &str) -> RequestBuilder<WithoutBody> {
        let request = self.0.get(address);
        if is_loopback(address) { request.config().proxy(None).build() } else { request }
    }

    /// Gives something, by the same way.
    pub fn post(&self, address: &str) -> RequestBuilder<WithBody> {
        let request = self.0.post(address);
        if is_loopback(address) { request.config().proxy(None).build() } else { request }
    }
}

/// Whether an address is on this machine.
pub fn is_loopback(address: &str) -> bool {
    let uri = address.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let is_ip = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    is_ip || host == "localhost" || host.ends_with(".localhost")
}

/// Whether a request that failed so never left: nobody can have obeyed it.
pub fn never_left(error: &ureq::Error) -> bool {
    matches!(
        error,
        ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::ConnectProxyFailed(_)
            | ureq::Error::Tls(_)
            | ureq::Error::Rustls(_)
            | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect)
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_each_of_its_names() {
        for address in [
            "http://127.0.0.1:8001/release",
            "http://127.9.0.1/",
            "http://[::1]:80/",
            "https://localhost/",
            "https://myapp-1.herokuapp.localhost:4/",
        ] {
            assert!(is_loopback(address), "{address}");
        }
        for address in
            ["https://api.heroku.com", "https://localhost.example.com/", "http://8.8.8.8/"]
        {
            assert!(!is_loopback(address), "{address}");
        }
    }
}
