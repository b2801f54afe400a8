//! The platform's settings: what each may be, and its default. (`APP_ENV`, on which defaults depend, is read first, in
//! `reader.rs`.)

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use secrecy::ExposeSecret;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::reader::Reader;
use super::report::{RANDOM_PASSWORD, Remedy};
use super::text::is_printable;
use super::{Environment, LogFormat, Settings, meant};

/// A dyno of 512 MB shows eight processors: a thread for each is more than so small a dyno needs.
const MOST_WORKERS_BY_DEFAULT: usize = 4;

/// Anyone may try passwords, as fast as the app answers: what is shorter can be found in weeks.
const SHORTEST_GOOD_PASSWORD: usize = 12;

/// Hides actix's lines at start, since we log one, and its errors about malformed requests.
const DEFAULT_LOG: &str = "info,actix_server=warn,actix_http=off";

impl Settings {
    /// Reads them, after those that the report is to show before.
    pub fn read(reader: &mut Reader) -> Self {
        let environment = reader.environment();
        let settings = Self {
            environment,
            indexed: environment == Environment::Production,
            host: reader.host(),
            port: reader.port(),
            workers: reader.workers(),
            log: reader.log(),
            log_format: reader.log_format(),
            force_https: reader.force_https(),
            preview_password: reader.secret("PREVIEW_PASSWORD"),
            heroku: reader.heroku().clone(),
        };
        reader.notice_a_public_preview(&settings);
        reader.notice_a_weak_password(&settings);
        settings
    }
}

impl Reader<'_> {
    fn is_development(&self) -> bool {
        self.environment() == Environment::Development
    }

    fn host(&mut self) -> IpAddr {
        let on_dyno = self.variables().on_dyno();
        let default = if self.is_development() {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            IpAddr::V6(Ipv6Addr::UNSPECIFIED)
        };
        let allowed = if on_dyno {
            // Elsewhere the router reaches nothing, and after 60 s Heroku stops the dyno with R10.
            ":: on a dyno, for every interface; or leave it unset"
        } else {
            "an IP address, such as 127.0.0.1, or :: for every interface"
        };
        let remedy = |text: &str| {
            if on_dyno {
                // There can be no other, whatever was meant.
                let meant = host_meant(text).filter(IpAddr::is_unspecified).unwrap_or(default);
                return Some(Remedy::Set("HOST", meant.to_string()));
            }
            if let Some(both) = address_and_port(text) {
                return Some(both);
            }
            host_meant(text).map(|ip| Remedy::Set("HOST", ip.to_string()))
        };
        self.read_or("HOST", &default.to_string(), allowed, remedy, |text| {
            text.parse().ok().filter(|ip: &IpAddr| !on_dyno || ip.is_unspecified())
        })
    }

    fn port(&mut self) -> u16 {
        let app = self.variables().on_dyno().then(|| self.app_option());
        let remedy = |text: &str| {
            if let Some(app) = app {
                return Some(Remedy::Do(format!(
                    "heroku config:unset PORT {app} (Heroku sets it)"
                )));
            }
            let port = text.trim().strip_prefix(':').filter(|port| port.parse::<u16>().is_ok());
            port.map(|port| Remedy::Set("PORT", port.to_owned())).or_else(|| address_and_port(text))
        };
        let allowed = "a whole number from 0 to 65535";
        self.read_or("PORT", "8080", allowed, remedy, |text| text.parse().ok())
    }

    fn workers(&mut self) -> usize {
        let default = self.variables().processors().min(MOST_WORKERS_BY_DEFAULT).to_string();
        let parse = |text: &str| text.parse().ok().filter(|n| (1..=64).contains(n));
        self.read("WEB_CONCURRENCY", &default, "a whole number from 1 to 64", parse)
    }

    fn log(&mut self) -> Targets {
        let allowed = "levels, and targets with a level, such as info or warn,stagedoor=debug";
        let parse = |text: &str| {
            let filter: Option<Targets> = text.parse().ok();
            filter.filter(|_| text.split(',').all(is_log_directive))
        };
        let remedy = |text: &str| {
            let filter = meant::log_filter(text).filter(|filter| parse(filter).is_some());
            filter.map(|filter| Remedy::Set("RUST_LOG", filter))
        };
        self.read_or("RUST_LOG", DEFAULT_LOG, allowed, remedy, parse)
    }

    fn log_format(&mut self) -> LogFormat {
        let default = if self.is_development() { "text" } else { "json" };
        let remedy = |text: &str| {
            let format = meant::misspelled(text, ["text", "json"])?;
            Some(Remedy::Set("LOG_FORMAT", format.to_owned()))
        };
        self.read_or("LOG_FORMAT", default, "text or json", remedy, |text| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        })
    }

    fn force_https(&mut self) -> bool {
        let default = if self.is_development() { "false" } else { "true" };
        self.read("FORCE_HTTPS", default, "true or false", |text| text.parse().ok())
    }

    fn notice_a_weak_password(&mut self, settings: &Settings) {
        let Some(password) = &settings.preview_password else { return };
        let password = password.expose_secret();
        if !is_printable(password) {
            return; // which is a problem
        }
        let is_stray = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
        if password.starts_with(is_stray) || password.ends_with(is_stray) {
            let stray =
                "PREVIEW_PASSWORD begins or ends with a blank or a quote, which is part of it.";
            self.notice(format!("{stray} If it is not meant to be, set it again without."));
        }
        if password.chars().count() < SHORTEST_GOOD_PASSWORD {
            let few =
                format!("PREVIEW_PASSWORD has fewer than {SHORTEST_GOOD_PASSWORD} characters");
            // A word to make one, and no command that sets it: people use the one that is there.
            self.notice(format!(
                "{few}, which can be guessed. To make a better one: openssl rand -hex 16"
            ));
        }
    }

    fn notice_a_public_preview(&mut self, settings: &Settings) {
        let preview = matches!(settings.environment, Environment::Staging | Environment::Review);
        if preview && settings.preview_password.is_none() {
            let command = self.config_set(&format!("PREVIEW_PASSWORD={RANDOM_PASSWORD}"));
            self.notice(format!(
                "Anyone can open this {} site: it has no PREVIEW_PASSWORD. To give it one: {command}",
                settings.environment
            ));
        }
    }
}

/// The address that stands for a name of this machine, or for all of its addresses.
fn host_meant(text: &str) -> Option<IpAddr> {
    let text = meant::visible(text)?;
    match meant::bare(&text).to_lowercase().as_str() {
        "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        "*" => Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        text => text.trim_start_matches('[').trim_end_matches(']').parse().ok(),
    }
}

/// What to do where one setting has the values of two: `127.0.0.1:3000`.
fn address_and_port(text: &str) -> Option<Remedy> {
    let (host, port) = text.rsplit_once(':')?;
    let (host, port) = (host_meant(host)?, meant::bare(port).parse::<u16>().ok()?);
    text.parse::<IpAddr>()
        .is_err()
        .then(|| Remedy::Do(format!("Set HOST to {host}, and PORT to {port}.")))
}

/// A level, or `target=level`. To tracing a bare word is a target, too: `inof`, `warning` or `verbose` would log what
/// calls itself that, and nothing else.
fn is_log_directive(directive: &str) -> bool {
    // To tracing nothing at all is a level, too: that of errors.
    let is_level = |text: &str| !text.is_empty() && text.parse::<LevelFilter>().is_ok();
    match directive.split_once('=') {
        None => is_level(directive),
        Some((target, level)) => {
            let is_target = !target.is_empty() && target.bytes().all(|b| b.is_ascii_graphic());
            is_target && is_level(level)
        }
    }
}
