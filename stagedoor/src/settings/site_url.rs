//! The address of a site's front page: which there can be, and which one was meant.

use std::net::Ipv6Addr;

use url::Host;

use super::meant::{bare, visible};
use crate::target;

/// The address with a slash at its end: `https://` and a host, perhaps with a port.
///
/// `http://` is for this machine in development alone: it has no certificate for itself, and what it sends to itself
/// nobody reads on its way. Other stages are opened by other machines.
pub fn parse(text: &str, is_development: bool) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let is_allowed = match scheme {
        "https" => is_authority(authority),
        "http" => is_development && is_authority(authority) && is_loopback(authority),
        _ => false,
    };
    is_allowed.then(|| format!("{scheme}://{}/", authority.to_ascii_lowercase()))
}

/// The address of the host that a wrong one names, and of no other: a name in any script by the letters that DNS has
/// for it. `None` where that is not clear.
pub fn meant(text: &str) -> Option<String> {
    let text = visible(text)?;
    let text = bare(&text);
    if text.contains(char::is_whitespace) {
        return None;
    }
    let (scheme, rest) = without_schemes(text);
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    if rest[authority.len()..].contains('@') {
        return None; // a password may have such characters: where the host begins is not clear
    }
    let authority = match authority.rsplit_once('@') {
        None => authority,
        Some((_, authority)) if !scheme.is_empty() => authority,
        Some(_) => return None, // an address of mail
    };
    let (host, port) = split_port(authority);
    let port = match (scheme.as_str(), port) {
        (_, None) | ("http", Some("80")) | ("https", Some("443")) => String::new(),
        ("https", Some(port)) => format!(":{port}"),
        _ => return None, // which port https has is anyone's guess
    };
    let host = if host.is_ascii() {
        host.to_ascii_lowercase()
    } else {
        Host::parse(host).ok()?.to_string()
    };
    let is_clear = scheme == "https" || (host.contains('.') && !is_loopback(&host));
    let meant = format!("https://{host}{port}");
    (is_clear && parse(&meant, false).is_some()).then_some(meant)
}

/// A name or an address that DNS and browsers take, with or without a port.
pub fn is_authority(authority: &str) -> bool {
    let (host, port) = split_port(authority);
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    let is_label = |label: &str| {
        (1..64).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_name = host.strip_suffix('.').unwrap_or(host).split('.').all(is_label);
    // Browsers take 1.2 for 1.0.0.2.
    let is_written_so =
        || Host::parse(host).is_ok_and(|read| read.to_string().eq_ignore_ascii_case(host));
    target::is_host(host.as_bytes())
        && port.is_none_or(is_port)
        && (host.starts_with('[') || is_name)
        && is_written_so()
}

fn is_loopback(authority: &str) -> bool {
    let host = split_port(authority).0.to_ascii_lowercase();
    match Host::parse(&host) {
        Ok(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address == Ipv6Addr::LOCALHOST,
        Err(_) => false,
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// The scheme, in small letters, and what stands behind: also after `https//`, and where it was pasted twice.
fn without_schemes(text: &str) -> (String, &str) {
    let mut scheme = String::new();
    let mut rest = text;
    loop {
        let word = rest.split([':', '/']).next().unwrap_or_default();
        let after = &rest[word.len()..];
        let is_scheme =
            matches!(&*word.to_ascii_lowercase(), "http" | "https") && !after.is_empty();
        let is_other = after.starts_with("://") && word.bytes().all(|b| b.is_ascii_alphabetic());
        if !is_scheme && !is_other {
            return (scheme, rest);
        }
        scheme = word.to_ascii_lowercase();
        rest = after.trim_start_matches([':', '/']);
    }
}
