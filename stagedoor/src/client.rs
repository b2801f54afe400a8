//! Who asks: the visitor's address, for the log line.

use std::any::Any;
use std::net::IpAddr;
use std::rc::Rc;

use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::rt::net::TcpStream;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of a connection, as text. To write it anew for each request would cost 500 instructions.
struct Peer(Rc<str>);

/// Notes it, once for each connection, where the server is ours.
pub fn note_peer(connection: &dyn Any, data: &mut Extensions) {
    let address = connection.downcast_ref::<TcpStream>().map(TcpStream::peer_addr);
    if let Some(Ok(address)) = address {
        data.insert(Peer(text(address.ip())));
    }
}

/// The visitor's address: as the router tells it, else the connection's other end.
pub fn address(request: &ServiceRequest) -> Option<Rc<str>> {
    let noted = || Some(Rc::clone(&request.request().conn_data::<Peer>()?.0));
    let peer = || Some(text(request.head().peer_addr?.ip()));
    forwarded_for(request.headers()).or_else(noted).or_else(peer)
}

/// The last entry, which the router adds. All before it are the client's own words, and so is the first,
/// which actix would take.
fn forwarded_for(headers: &HeaderMap) -> Option<Rc<str>> {
    let last = headers.get_all(X_FORWARDED_FOR).last()?.to_str().ok()?;
    let last = last.rsplit(',').next()?.trim();
    last.parse::<IpAddr>().is_ok().then(|| last.into())
}

/// On `::` an IPv4 peer arrives as `::ffff:127.0.0.1`.
fn text(address: IpAddr) -> Rc<str> {
    address.to_canonical().to_string().into()
}
