//! Which of OpenTelemetry's semantic conventions the calls of a function follow.
//!
//! Decides: the convention, by the kind of a function and the attributes that its rule captures.

use gopatch_protocol::manifest::Kind;

/// What the calls of a function are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Convention {
    HttpServer,
    HttpClient,
    RpcServer,
    RpcClient,
    Database,
    /// Nothing that OpenTelemetry knows.
    Own,
}

impl Convention {
    /// The convention that a function's calls follow, given the attributes that it captures.
    pub(crate) fn of<'c>(kind: Kind, mut captured: impl Iterator<Item = &'c str>) -> Self {
        let named = captured.find_map(|name| {
            Some(match (name.split('.').next()?, kind) {
                ("http", Kind::Server) => Self::HttpServer,
                ("http", Kind::Client) => Self::HttpClient,
                ("rpc", Kind::Server) => Self::RpcServer,
                ("rpc", Kind::Client) => Self::RpcClient,
                ("db", Kind::Client) => Self::Database,
                _ => return None,
            })
        });
        named.unwrap_or(Self::Own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_convention_follows_from_what_is_captured() {
        let of = |kind, name| Convention::of(kind, [name].into_iter());
        assert_eq!(of(Kind::Server, "http.request.method"), Convention::HttpServer);
        assert_eq!(of(Kind::Client, "http.request.method"), Convention::HttpClient);
        assert_eq!(of(Kind::Server, "rpc.method"), Convention::RpcServer);
        assert_eq!(of(Kind::Client, "db.query.text"), Convention::Database);
        assert_eq!(of(Kind::Internal, "http.request.method"), Convention::Own);
        assert_eq!(of(Kind::Server, "order.id"), Convention::Own);
    }
}
