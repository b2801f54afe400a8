//! Who asks: the visitor's address, for the log line.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use actix_http::Request;
use actix_web::dev::{Extensions, RequestHead, ServiceRequest};
use actix_web::http::header::{HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of a connection, as text. To write it anew for each request would cost 500 instructions.
struct Peer(Rc<str>);

/// Notes it, once for each connection, where the server is ours.
pub fn note_peer(peer: Option<SocketAddr>, data: &mut Extensions) {
    if let Some(address) = peer {
        data.insert(Peer(text(address.ip())));
    }
}

/// The visitor's address: as the router tells it, else the connection's other end.
pub fn address(request: &ServiceRequest) -> Option<Rc<str>> {
    find(request.head(), || request.request().conn_data())
}

/// The same, of a request that no app has seen yet.
pub fn address_of_raw(request: &Request) -> Option<Rc<str>> {
    find(request.head(), || request.conn_data())
}

fn find<'a>(head: &RequestHead, noted: impl FnOnce() -> Option<&'a Peer>) -> Option<Rc<str>> {
    let noted = || Some(Rc::clone(&noted()?.0));
    let peer = || Some(text(head.peer_addr?.ip()));
    forwarded_for(&head.headers).or_else(noted).or_else(peer)
}

/// The last entry, which the router adds. All before it are the client's own words, and so is the first,
/// which actix would take.
fn forwarded_for(headers: &HeaderMap) -> Option<Rc<str>> {
    let last = headers.get_all(X_FORWARDED_FOR).last()?.to_str().ok()?;
    let last = last.rsplit(',').next()?.trim();
    last.parse::<IpAddr>().is_ok().then(|| last.into())
}

/// An address as the log has it. On `::` an IPv4 peer arrives as `::ffff:127.0.0.1`.
pub fn text(address: IpAddr) -> Rc<str> {
    address.to_canonical().to_string().into()
}
