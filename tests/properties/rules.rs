//! What each setting may be: the README's table, told a second time and in other words than
//! `src/settings/reader.rs`, so that a slip in one of the two shows.

/// Whether the service must refuse to start with this value.
pub fn is_wrong(name: &str, value: &str, on_dyno: bool) -> bool {
    let is_right = match name {
        "APP_ENV" => {
            ["review", "staging", "production"].contains(&value)
                || value == "development" && !on_dyno
        }
        "SITE_NAME" => can_be_seen(value) && value.chars().count() <= 60,
        "SITE_URL" => is_address(value),
        "HOST" => {
            let is_all_zero = !value.contains(|c| matches!(c, '1'..='9' | 'a'..='f' | 'A'..='F'));
            (is_ipv4(value) || is_ipv6(value)) && (is_all_zero || !on_dyno)
        }
        "PORT" => number(value).is_some_and(|port| port <= 65_535),
        "WEB_CONCURRENCY" => number(value).is_some_and(|workers| workers > 0 && workers < 65),
        "RUST_LOG" => value.split(',').all(is_log_directive),
        "LOG_FORMAT" => ["text", "json"].contains(&value),
        "FORCE_HTTPS" => ["true", "false"].contains(&value),
        "PREVIEW_PASSWORD" => can_be_seen(value),
        _ => panic!("{name} is no setting"),
    };
    !is_right
}

/// Whether a character does something to a terminal or a page instead of standing there.
pub fn is_odd(c: char) -> bool {
    let code = u32::from(c);
    let is_control = code < 0x20 || (0x7f..0xa0).contains(&code);
    let breaks = code == 0x2028 || code == 0x2029;
    let is_mark = [0x061c, 0x200e, 0x200f].contains(&code);
    let turns_around = is_mark || matches!(code, 0x202a..=0x202e | 0x2066..=0x2069);
    let has_no_width = [0x200b, 0xfeff].contains(&code) || (0x2060..0x2066).contains(&code);
    let was_not_utf8 = code == 0xfffd;
    is_control || breaks || turns_around || has_no_width || was_not_utf8
}

/// Of a site: a scheme, a host, perhaps a port, and perhaps a slash.
fn is_address(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = host.map(|host| host.strip_suffix('/').unwrap_or(host));
    let is_port = |port: &str| port.chars().all(|c| c.is_ascii_digit());
    let split = host.and_then(|host| match host.strip_prefix('[') {
        Some(ipv6) => ipv6.split_once(']').filter(|(ipv6, _)| is_ipv6(ipv6)),
        None => Some(host.split_at(host.find(':').unwrap_or(host.len()))),
    });
    let is_in_names = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    split.is_some_and(|(name, port)| {
        let is_name = !name.is_empty() && name.chars().all(|c| is_in_names(c) || c == ':');
        is_name && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
    })
}

fn can_be_seen(text: &str) -> bool {
    !text.chars().any(is_odd) && !text.chars().all(char::is_whitespace)
}

/// Zeros and a plus before a number change nothing.
fn number(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || digits.contains(|c: char| !c.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    // One too long for any setting is as wrong as the greatest.
    Some(if digits.len() > 9 { u32::MAX } else { digits.bytes().fold(0, shift_in) })
}

fn shift_in(number: u32, digit: u8) -> u32 {
    number * 10 + u32::from(digit - b'0')
}

fn is_ipv4(text: &str) -> bool {
    let is_byte = |part: &str| {
        (1..=3).contains(&part.len())
            && (part == "0" || !part.starts_with('0'))
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.bytes().fold(0, shift_in) < 256
    };
    text.split('.').count() == 4 && text.split('.').all(is_byte)
}

/// Eight groups of up to four hex digits; `::` once for one group or more; an IPv4 address for the
/// last two.
fn is_ipv6(text: &str) -> bool {
    match text.split_once("::") {
        None => groups(text, true) == Some(8),
        Some((before, after)) => {
            let (before, after) = (groups(before, false), groups(after, true));
            before.zip(after).is_some_and(|(before, after)| before + after < 8)
        }
    }
}

fn groups(text: &str, may_end_in_ipv4: bool) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    let parts: Vec<_> = text.split(':').collect();
    let (last, others) = parts.split_last()?;
    let is_group =
        |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit());
    if !others.iter().all(|part| is_group(part)) {
        None
    } else if may_end_in_ipv4 && is_ipv4(last) {
        Some(parts.len() + 1)
    } else {
        is_group(last).then_some(parts.len())
    }
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A level, a target, or a target with a level and perhaps with `[{fields}]`.
fn is_log_directive(directive: &str) -> bool {
    match directive.split_once('=') {
        None => {
            let word = directive.to_ascii_lowercase();
            is_level(directive)
                || is_target(directive) && !LEVELS.iter().any(|level| is_one_slip(&word, level))
        }
        Some((target, level)) => {
            let fields: Vec<_> = target.split("[{").skip(1).collect();
            let closed = fields.len() < 2 && fields.iter().all(|fields| fields.ends_with("}]"));
            is_target(target) && closed && is_level(level)
        }
    }
}

fn is_target(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| (0x21..0x7f).contains(&b))
}

/// By name, in any case, or by number.
fn is_level(text: &str) -> bool {
    LEVELS.iter().any(|level| level.eq_ignore_ascii_case(text))
        || number(text).is_some_and(|level| level < 6)
}

/// Whether one letter was left out, added or replaced, or two neighbours swapped.
fn is_one_slip(typed: &str, meant: &str) -> bool {
    let (typed, meant) = (typed.as_bytes(), meant.as_bytes());
    let same_start = typed.iter().zip(meant).take_while(|(a, b)| a == b).count();
    let (typed, meant) = (&typed[same_start..], &meant[same_start..]);
    let same_end = typed.iter().rev().zip(meant.iter().rev()).take_while(|(a, b)| a == b).count();
    let (typed, meant) = (&typed[..typed.len() - same_end], &meant[..meant.len() - same_end]);
    match (typed, meant) {
        ([_] | [], [_] | []) => true,
        ([a, b], [c, d]) => (a, b) == (d, c),
        _ => false,
    }
}
