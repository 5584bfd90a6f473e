//! Which of OpenTelemetry's semantic conventions the calls of a function follow.
//!
//! Decides: the convention, by the kind of a function and the attributes that its rule captures.

use gopatch_protocol::manifest::Kind;

/// The convention that the calls of a function follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Convention {
    HttpServer,
    HttpClient,
    RpcServer,
    RpcClient,
    Database,
    /// None of OpenTelemetry's: the attributes of the rule.
    Own,
}

impl Convention {
    /// The convention of a function of this kind that captures these attributes.
    pub(crate) fn from_captures<'c>(kind: Kind, mut captured: impl Iterator<Item = &'c str>) -> Self {
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
    fn the_convention_follows_from_the_captures() {
        let convention = |kind, name| Convention::from_captures(kind, [name].into_iter());
        assert_eq!(convention(Kind::Server, "http.request.method"), Convention::HttpServer);
        assert_eq!(convention(Kind::Client, "http.request.method"), Convention::HttpClient);
        assert_eq!(convention(Kind::Server, "rpc.method"), Convention::RpcServer);
        assert_eq!(convention(Kind::Client, "db.query.text"), Convention::Database);
        assert_eq!(convention(Kind::Internal, "http.request.method"), Convention::Own);
        assert_eq!(convention(Kind::Server, "order.id"), Convention::Own);
    }
}
